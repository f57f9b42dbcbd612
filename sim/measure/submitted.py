"""The messages that came into an outbox, by id and by place: what a result is counted from, in columns of numbers.

A place is a message's position in the order in which they came. Knows nothing of what became of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from . import statistics as st


class Numbered(Mapping[str, int]):
    """Messages with the ids "1", "2" and so on, and when each came: ``arrived``, ascending microseconds.

    Looks like a dict of them, which at a hundred thousand messages costs more than all that is counted from it.
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
    moments = submitted.arrived if isinstance(submitted, Numbered) else list(submitted.values())
    return np.array(moments, dtype=np.int64)


def first_times(submitted: Mapping[str, int], ids: Sequence[str | None], at: st.Times, order: st.Times) -> st.Times:
    """For each message, by place, the first time at which its id stands in the rows of ``order``, which is in order of time.

    Microseconds, -1 for a message that does not stand there; rows without an id count for none. KeyError for an id that was
    not submitted.
    """
    if isinstance(submitted, Numbered):
        # One pass over all ids; those of rows that are left out may be beyond the last message.
        places = np.fromiter(map(int, ids), dtype=np.int64, count=len(ids))[order] - 1  # type: ignore[arg-type]
    else:
        known = [(place, message) for place in order.tolist() if (message := ids[place]) is not None]
        by_id = {message: place for place, message in enumerate(submitted)}
        order = np.array([place for place, _ in known], dtype=np.int64)
        places = np.array([by_id[message] for _, message in known], dtype=np.int64)
    first = np.full(len(submitted), -1, dtype=np.int64)
    first[places[::-1]] = at[order][::-1]  # backwards: of several values for one place numpy leaves the last
    return first
