"""Numbers, times and durations as text, for sentences that users read. ``sim.units`` parses
them.
"""

from __future__ import annotations

from itertools import pairwise

_ORDINALS = (
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
)
_SECOND = 1_000_000
_UNITS = ((86_400 * _SECOND, "d"), (3_600 * _SECOND, "h"), (60 * _SECOND, "min"), (_SECOND, "s"))


def ordinal(count: int) -> str:
    """``sixth``; from 21 on ``121st``."""
    if count < len(_ORDINALS):
        return _ORDINALS[count]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th") if count // 10 % 10 != 1 else "th"
    return f"{count:,}{ending}"


def plural(count: int, noun: str, several: str | None = None) -> str:
    """``1 message``, ``1,000 messages``."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"


def times(count: int) -> str:
    """``once``, ``twice``, ``1,000 times``."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def number(value: float) -> str:
    """``value`` without trailing zeros: ``0.505``, ``60``."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def moment(micros: int) -> str:
    """A time of the run: ``0.94 s``, ``12.3 s``; from two minutes on in its two largest units:
    ``1 h 12 min``.
    """
    if micros < 120 * _SECOND:
        return f"{number(round(micros / _SECOND, 2 if micros < 10 * _SECOND else 1))} s"
    micros = micros // _SECOND * _SECOND
    for (size, name), (below, part) in pairwise(_UNITS):
        if micros >= size:
            rest = micros % size // below
            return f"{micros // size} {name}" + (f" {rest} {part}" if rest else "")
    raise AssertionError("120 s are more than a minute")


def lasting(micros: int) -> str:
    """A duration of a policy in the largest unit that gives a whole number. A minute is ``60 s``, a
    day is ``24 h``.
    """
    for size, name, least in (
        (_UNITS[0][0], "d", 2),
        (_UNITS[1][0], "h", 1),
        (_UNITS[2][0], "min", 2),
    ):
        if micros % size == 0 and micros >= least * size:
            return f"{micros // size} {name}"
    return f"{number(micros / _SECOND)} s"
