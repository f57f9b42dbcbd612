"""Whether a model did what its library did, line for line and count for count, and how that is
said. Knows no library.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fidelity.observed import Observed
from tests.fidelity.row import Row

CLOSE_SHARE = 0.05
CLOSE_MICROS = 150_000
"""Durations agree within a twentieth or 150 ms, whichever is more."""


@dataclass(frozen=True)
class Comparison:
    """A row with what the real library did (once, or several times where luck decides), the model,
    and what differs.
    """

    row: Row
    real: Sequence[Observed]
    model: Observed
    own_time: tuple[int, int]
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def only_slower_or_quicker(self) -> bool:
        """Whether the duration is all that differs."""
        return [each.partition(":")[0] for each in self.differences] == ["duration"]


def compare(
    row: Row, real: Sequence[Observed], model: Observed, own_time: tuple[int, int]
) -> Comparison:
    """Equal counts and transcripts; for a lucky row, within the range that the real runs span."""
    check = _within_range if row.lucky else _equal
    return Comparison(row, real, model, own_time, tuple(check(real, model)))


def counts(seen: Observed) -> dict[str, int]:
    """The numbers that must be equal."""
    return {
        "accepted": seen.accepted,
        "lost": seen.lost,
        "connections": seen.connections,
        "logins": seen.logins,
        "failed logins": seen.failed_logins,
        **{f"incidents of {limit}": count for limit, count in seen.incidents.items()},
    }


def close(real: int, model: int) -> bool:
    """Whether two durations in microseconds agree."""
    return abs(real - model) <= max(CLOSE_MICROS, CLOSE_SHARE * real)


def _equal(real: Sequence[Observed], model: Observed) -> list[str]:
    (library,) = real
    theirs = counts(library)
    ours = counts(model)
    found = [
        f"{name}: the library {theirs.get(name, 0)}, the model {ours.get(name, 0)}"
        for name in theirs | ours
        if theirs.get(name, 0) != ours.get(name, 0)
    ]
    if library.talks != model.talks:
        found.append(f"transcripts: {_first_difference(library.talks, model.talks)}")
    if not close(library.duration, model.duration):
        found.append(
            f"duration: the library {library.duration / 1e6:.3f} s, the model {model.duration / 1e6:.3f} s"
        )
    return found


def _within_range(real: Sequence[Observed], model: Observed) -> list[str]:
    ours = counts(model)
    found = []
    for name in set(ours).union(*(counts(each) for each in real)):
        seen = [counts(each).get(name, 0) for each in real]
        if not min(seen) <= ours.get(name, 0) <= max(seen):
            found.append(
                f"{name}: the library {min(seen)} to {max(seen)}, the model {ours.get(name, 0)}"
            )
    longest = max(each.duration for each in real)
    shortest = min(each.duration for each in real)
    if not (
        shortest <= model.duration <= longest
        or close(longest, model.duration)
        or close(shortest, model.duration)
    ):
        span = f"{shortest / 1e6:.3f} to {longest / 1e6:.3f} s"
        found.append(f"duration: the library {span}, the model {model.duration / 1e6:.3f} s")
    kinds = {line for each in real for talk in each.talks for line in talk}
    if strange := {line for talk in model.talks for line in talk} - kinds:
        found.append(
            f"transcripts: the model says {', '.join(sorted(strange))}, which the library never does"
        )
    return found


def _first_difference(real: Counter[tuple[str, ...]], model: Counter[tuple[str, ...]]) -> str:
    said = []
    for who, these, others in (("only the library", real, model), ("only the model", model, real)):
        for talk, count in list((these - others).items())[:2]:
            said.append(f"{who} {count} x [{', '.join(talk)}]")
    return "; ".join(said)
