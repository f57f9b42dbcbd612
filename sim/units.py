"""Durations and rates: text and seconds at the edge, integer microseconds inside.

The only module that converts between them. It raises a ``ValueError`` with the remedy; its callers
add the file and the key.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from .text import cut

MICRO = 1_000_000
"""Microseconds in a second."""

LONGEST = 400 * 86_400 * MICRO
"""The longest duration, 400 days in microseconds: longer than the 90 days of any limit, and far
from overflow.
"""

_UNITS = {"ms": 1_000, "s": MICRO, "m": 60 * MICRO, "h": 3_600 * MICRO, "d": 86_400 * MICRO}
_PER = {"s": MICRO, "min": 60 * MICRO, "h": 3_600 * MICRO, "d": 86_400 * MICRO}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|min|h|d)", re.ASCII)
_TIDY = {
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "min": "m",
    "mins": "m",
    "minute": "m",
    "minutes": "m",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
    "msec": "ms",
    "millis": "ms",
}


def duration(value: object) -> int:
    """Microseconds of ``90``, ``0.5``, ``"90s"``, ``"1.5h"``; ``ValueError`` for anything else.

    Rounded to the nearest microsecond, halves to even. Not negative, at most :data:`LONGEST`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(
            f"{_shown(value)} is not a duration; write seconds as a number or a string such "
            'as "90s"'
        )
    if isinstance(value, str):
        found = _DURATION.fullmatch(value)
        if not found:
            raise ValueError(f"{_shown(value)} is not a duration; write {_better_duration(value)}")
        micros = round(_number(found[1], value) * _UNITS[found[2]])
    else:
        # An integer may be too large for isfinite.
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{_shown(value)} is not a duration; write a finite number of seconds")
        micros = round(Fraction(value) * MICRO)
    if micros < 0:
        raise ValueError(f"{_shown(value)} is negative; a duration is 0 or more")
    if micros > LONGEST:
        raise ValueError(f"{_shown(value)} is too long; at most 400d")
    return micros


def rate(value: object) -> Fraction:
    """Messages per microsecond, exactly, of ``"10/s"``, ``"300/min"``, ``"5000/h"``, ``"20/d"``.
    ``ValueError`` for 0.
    """
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(
            f'{_shown(value)} is not a rate; write it like "10/s", "300/min", "5000/h" or "20/d"'
        )
    result = _number(found[1], value) / _PER[found[2]]
    if result <= 0:
        raise ValueError(f"{_shown(value)} is not a rate above 0")
    if result > 1:
        raise ValueError(f'{_shown(value)} is more than one a microsecond; at most "1000000/s"')
    return result


def seconds(micros: int) -> float:
    """Seconds of ``micros`` as the nearest float, which is the same bytes on any machine."""
    return micros / MICRO


def spoken(micros: int) -> str:
    """``micros`` as a duration string: 90 seconds is ``"90s"``, an hour ``"1h"``, a quarter of a
    second ``"250ms"``.
    """
    for unit in ("d", "h", "m"):
        if micros and micros % _UNITS[unit] == 0:
            return f"{micros // _UNITS[unit]}{unit}"
    if micros % MICRO == 0 or micros > MICRO:
        return f"{micros / MICRO:.15g}s"
    return f"{micros / 1000:.15g}ms"


def _number(text: str, value: object) -> Fraction:
    if len(text) > 40:  # int() refuses thousands of digits, in words that are not ours
        raise ValueError(f"{_shown(value)} has too many digits; at most 40")
    return Fraction(text)


def _better_duration(text: str) -> str:
    number = re.match(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$", text, re.ASCII)
    unit = _TIDY.get(number[2].lower(), number[2].lower() or "s") if number else ""
    if number and unit in _UNITS:
        return f'"{number[1]}{unit}"'
    return 'a number of seconds or a string with ms, s, m, h or d, such as "90s" or "1h"'


def _shown(value: object) -> str:
    try:
        text = f'"{value}"' if isinstance(value, str) else repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = "a number of thousands of digits"
    return cut(text)
