"""The space of a sweep: keys with their values as text, and the points that follow from them.

    sender.workers=1,2,4,8               a list; commas in brackets or quotes do not separate
    sender.workers=1..40                 a range in steps of 1, which includes both ends
    sender.workers=1..40..5              a range in steps of 5
    network.rtt=10ms..100ms..10ms        with a unit, which is the same on all numbers
    workload.messages=log:10..10000:7    7 values, each the same multiple of the one before
    network.rtt=lin:10ms..1s:12          12 values, evenly spaced
    network.jitter=0..1                  with a Latin hypercube: any number of the range
    network.jitter=log:0.01..1           likewise, drawn by its logarithm

Whole numbers stay whole. Does not know runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from .. import streams
from ..errors import ScenarioError

MOST_POINTS = 1_000_000

_NUMBER = r"(-?\d+(?:\.\d+)?)((?:ms|s|m|h|d|/s|/min|/h|/d)?)"
_RANGE = re.compile(rf"(lin:|log:)?{_NUMBER}\.\.{_NUMBER}(?:\.\.{_NUMBER}|:(\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """A range whose values are drawn: from ``low`` to ``high``, both followed by ``unit``. With
    ``log``, by its logarithm.
    """

    low: Decimal
    high: Decimal
    unit: str
    log: bool

    @property
    def whole(self) -> bool:
        """Whether both ends are whole numbers, so that its values are too."""
        return (
            self.low == int(self.low)
            and self.high == int(self.high)
            and "." not in f"{self.low}{self.high}"
        )

    def at(self, share: float) -> str:
        """The value at ``share`` (0 to below 1) of the span. Each whole number gets the same part
        of it.
        """
        low = float(self.low)
        high = float(self.high) + (1 if self.whole and not self.log else 0)
        value = low * (high / low) ** share if self.log else low + (high - low) * share
        if self.whole:
            value = min(round(value) if self.log else math.floor(value), int(self.high))
        return _text(value) + self.unit


@dataclass(frozen=True, slots=True)
class Axis:
    """One key and its values as TOML text, or the ``span`` that they are drawn from."""

    key: str
    values: tuple[str, ...]
    span: Span | None = None


Point = tuple[str, ...]
"""``key=value`` for each axis, as a scenario takes it."""


def axis(setting: str, *, drawn: bool = False) -> Axis:
    """The axis of one ``KEY=VALUES``; ``drawn`` leaves a plain range to the hypercube. Raises
    ScenarioError for anything else.
    """
    key, equals, text = setting.partition("=")
    key = key.strip()
    text = text.strip()
    if not equals or not all(part.strip() for part in key.split(".")) or not text:
        raise _wrong(
            setting,
            "is not KEY=VALUES; write it like sender.workers=1..40 or policy.window=fixed,gcra",
        )
    found = _RANGE.fullmatch(text)
    if found is None:
        return Axis(key, tuple(_parts(text)))
    kind, low, unit, high, unit_high, step, unit_step, count = found.groups()
    if unit != unit_high or (step is not None and unit != unit_step):
        raise _wrong(setting, "has different units; write the same one on all")
    span = Span(Decimal(low), Decimal(high), unit, kind == "log:")
    if span.low >= span.high:
        raise _wrong(setting, "ends before it begins; write the smaller number first")
    if span.log and span.low <= 0:
        raise _wrong(setting, "has no logarithm; a log range begins above 0")
    if drawn and step is None and count is None:
        return Axis(key, (), span)
    return Axis(key, tuple(_values(setting, span, kind, step, count)))


def _values(
    setting: str, span: Span, kind: str | None, step: str | None, count: str | None
) -> list[str]:
    if kind is not None:
        if count is None or int(count) < 2:
            raise _wrong(
                setting,
                f"needs how many values, at least 2; write it like {kind}{span.low}..{span.high}:7",
            )
        return list(dict.fromkeys(_evenly(span, int(count))))
    if count is not None:
        raise _wrong(setting, "says how many values, but not how; write lin: or log: before it")
    by = Decimal(step) if step is not None else Decimal(1)
    if by <= 0:
        raise _wrong(setting, "has a step that is not above 0")
    many = int((span.high - span.low) / by) + 1
    if many > MOST_POINTS:
        raise _wrong(setting, f"makes {many:,} values; at most {MOST_POINTS:,}")
    return [_text(span.low + by * index) + span.unit for index in range(many)]


def _evenly(span: Span, count: int) -> Iterator[str]:
    low = float(span.low)
    high = float(span.high)
    for index in range(count):
        share = index / (count - 1)
        value = low * (high / low) ** share if span.log else low + (high - low) * share
        yield _text(round(value) if span.whole else float(f"{value:.6g}")) + span.unit


def points(axes: Sequence[Axis]) -> list[Point]:
    """Every combination, the last axis changing fastest."""
    many = math.prod(len(one.values) for one in axes)
    if many > MOST_POINTS:
        raise _wrong("--set", f"make {many:,} points together; at most {MOST_POINTS:,}")
    return [
        tuple(f"{one.key}={value}" for one, value in zip(axes, chosen, strict=True))
        for chosen in product(*(one.values for one in axes))
    ]


def hypercube(axes: Sequence[Axis], many: int, seed: int) -> list[Point]:
    """A Latin hypercube: ``many`` points, one in each ``many``-th of every axis; the same for the
    same seed.
    """
    from scipy.stats import qmc  # takes a third of a second to read, and only this needs it

    if not axes:
        raise _wrong("--lhs", "has no key to draw; give --set KEY=LOW..HIGH")
    shares = qmc.LatinHypercube(
        len(axes), rng=streams.generator(seed, "sweep", "hypercube")
    ).random(many)
    return [
        tuple(f"{one.key}={_drawn(one, share)}" for one, share in zip(axes, row, strict=True))
        for row in shares.tolist()
    ]


def _drawn(one: Axis, share: float) -> str:
    return one.span.at(share) if one.span else one.values[int(share * len(one.values))]


def _parts(text: str) -> Iterator[str]:
    """``text`` cut at its commas, except those in brackets, braces and quotes."""
    depth = 0
    quote = ""
    start = 0
    for index, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        else:
            depth += (sign in "[{") - (sign in "]}")
            if sign == "," and depth == 0:
                yield text[start:index].strip()
                start = index + 1
    yield text[start:].strip()


def _text(value: float | Decimal) -> str:
    """The number without an exponent and without zeros at its end."""
    if isinstance(value, int):
        return str(value)
    text = f"{value:f}" if isinstance(value, Decimal) else f"{value:.9f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _wrong(setting: str, problem: str) -> ScenarioError:
    return ScenarioError(
        "command line", setting if setting.startswith("--") else f"--set {setting}", problem
    )
