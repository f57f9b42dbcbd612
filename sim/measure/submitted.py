"""The messages that came into an outbox, by id and by place: what a result is counted from, in
columns of numbers.

A place is a message's position in the order in which they came. Knows nothing of what became of
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from . import statistics as st


class Numbered(Mapping[str, int]):
    """Messages with the ids "1", "2" and so on, and when each came: ``arrived``, ascending
    microseconds.

    Looks like a dict of them, which at a hundred thousand messages costs more than all that is
    counted from it.
    """

    __slots__ = ("arrived",)

    def __init__(self, arrived: Sequence[int]) -> None:
        self.arrived = arrived

    def __getitem__(self, message: str) -> int:
        place = int(message) - 1 if message.isdecimal() and message.isascii() else -1
        if 0 <= place < len(self.arrived) and message == str(place + 1):
            return self.arrived[place]
        raise KeyError(message)

    def __iter__(self) -> Iterator[str]:
        return map(str, range(1, len(self.arrived) + 1))

    def __len__(self) -> int:
        return len(self.arrived)


def came_at(submitted: Mapping[str, int]) -> st.Times:
    """When each message came, by place; microseconds."""
    if not isinstance(submitted, Numbered):
        return np.array(list(submitted.values()), dtype=np.int64)
    arrived = submitted.arrived
    if len(arrived) and arrived[0] == arrived[-1]:  # ascending, so all came at once
        return np.full(len(arrived), arrived[0], dtype=np.int64)
    return np.array(arrived, dtype=np.int64)


def first_times(
    submitted: Mapping[str, int], ids: Sequence[str | None], at: st.Times, order: st.Times
) -> st.Times:
    """For each message, by place, the first time at which it was accepted; -1 for one that was not.

    Acceptances have their ids in ``ids``, at the places that ``order`` puts into order of time, and
    their times in ``at``, which is in order already. One without an id counts for no message;
    KeyError for an id that was not submitted.
    """
    first = np.full(len(submitted), -1, dtype=np.int64)
    if isinstance(submitted, Numbered):
        # In one go over all ids; those that are left out may be beyond the last message.
        places = np.fromiter(map(int, ids), dtype=np.int64, count=len(ids))[order] - 1  # type: ignore[arg-type]
    else:
        by_id = {message: place for place, message in enumerate(submitted)}
        named = [
            None if (message := ids[place]) is None else by_id[message] for place in order.tolist()
        ]
        at = at[[place is not None for place in named]]
        places = np.array([place for place in named if place is not None], dtype=np.int64)
    first[places[::-1]] = at[
        ::-1
    ]  # backwards: of several values for one place numpy leaves the last
    return first
