"""The settings of a sender that a search for remedies can change, and the values that it tries.

:func:`knobs_of` makes them from the options that a strategy declares, by the type of each option,
and from the numbers of the policy, where many options belong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import units
from ..relay.policy import Policy
from ..scenario import keys
from ..strategies import catalogue
from ..units import MICRO, spoken

SWITCH = 6.0
STRATEGY = 12.0
PAID = 2.0
BOUND = 4.0
"""How large a change is, where doubling a number is 1: turning a switch, another strategy, one more
username or IP, a bound where there was none.
"""

GOOD_STRATEGY = "paced"


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting: its value now, and ``ladders`` of values to try, each from the nearest to the
    farthest.
    """

    key: str
    value: Any
    kind: str
    ladders: tuple[tuple[Any, ...], ...]
    weight: float = 0.0

    def size(self, value: Any) -> float:
        """The size of a change from the present value to ``value``."""
        if self.kind == "switch":
            return SWITCH
        if self.kind == "strategy":
            return STRATEGY
        if self.kind == "whole" and not self.value:
            return BOUND
        ratio = _number(value) + _unit(self.kind), _number(self.value) + _unit(self.kind)
        return abs(math.log2(ratio[0] / ratio[1])) + self.weight

    def between(self, fails: Any, holds: Any) -> Any:
        """A value between the two, or None where none is worth trying."""
        if self.kind in ("switch", "strategy"):
            return None
        low, high = sorted((_number(fails), _number(holds)))
        if self.kind == "whole":
            whole = (
                round(math.sqrt(max(1, low) * high)) if high > 3 * low else round((low + high) / 2)
            )
            return whole if low < whole < high and low else None
        middle = _rounded((low + high) / 2)
        if not low < middle < high or high - low < 0.05 * high:
            return None
        return _spelt(middle, self.value, self.kind)


def _unit(kind: str) -> float:
    """Added to both sides of a ratio, so that a ratio to 0 stays finite."""
    return 0.05 if kind == "duration" else 1.0


def _number(value: Any) -> float:
    return units.duration(value) / MICRO if isinstance(value, str) else float(value or 0)


def _rounded(seconds: float) -> float:
    """Rounded up to two digits: users set 0.43 s, not 0.4253."""
    if seconds <= 0:
        return 0.0
    scale = 10 ** (math.floor(math.log10(seconds)) - 1)
    return float(f"{math.ceil(seconds / scale - 1e-9) * scale:.6g}")


def _spelt(seconds: float, like: Any, kind: str) -> Any:
    if kind == "duration":
        return spoken(round(seconds * MICRO))
    return seconds


def knobs_of(tables: Mapping[str, Any], policy: Policy) -> list[Knob]:
    """Every setting of the sender that can be changed. A wrong password is corrected, and another
    strategy comes last.
    """
    sender = tables.get("sender", {})
    name = sender.get("strategy", "")
    found = [
        _option(key, default, sender.get("options", {}).get(key, default), policy)
        for key, default in _declared(name).items()
    ]
    found += [
        _count(f"sender.{key}", sender.get(key, 1), sender.get("workers", 1))
        for key in ("workers", "usernames", "ips")
    ]
    if "wrong_password" in tables.get("faults", {}):
        found.append(
            Knob("faults.wrong_password", tables["faults"]["wrong_password"], "switch", ((None,),))
        )
    if name != GOOD_STRATEGY:
        found.append(Knob("sender.strategy", name, "strategy", ((GOOD_STRATEGY,),)))
    return [knob for knob in found if knob is not None]


def _declared(name: str) -> Mapping[str, object]:
    return catalogue.shipped(name).options if name in catalogue.SHIPPED else {}


def _option(name: str, default: object, value: Any, policy: Policy) -> Knob | None:
    key = f"sender.options.{name}"
    if isinstance(default, bool):
        return Knob(key, value, "switch", ((not value,),))
    if isinstance(default, int) and isinstance(value, int) and "version" not in name:
        return Knob(key, value, "whole", _whole_ladders(value, policy))
    if (
        isinstance(default, str)
        and isinstance(value, str | int | float)
        and _is_duration(default)
        and _is_duration(value)
    ):
        return Knob(key, value, "duration", (_up(_number(value)),))
    return None


def _is_duration(value: object) -> bool:
    try:
        units.duration(value)
    except ValueError:
        return False
    return True


def _whole_ladders(value: int, policy: Policy) -> tuple[tuple[int, ...], ...]:
    """Values down to 1 and up, in factors of four, and the policy's own count of transactions.
    By convention 0 means unbounded.
    """
    spec = policy.transactions_per_connection
    marks = {spec.count} if spec else set()
    if value == 0:
        return (tuple(sorted({4**power for power in range(6)} | marks, reverse=True)),)
    down = {max(1, value >> shift) for shift in range(2, 24, 2)} | {
        mark for mark in marks if mark < value
    }
    up = {value << shift for shift in (2, 4, 6)} | {mark for mark in marks if mark > value}
    below = tuple(sorted((one for one in down if one < value), reverse=True))
    return below, tuple(sorted(one for one in up if one > value))


def _up(seconds: float) -> tuple[str, ...]:
    start = max(seconds, 0.01)
    return tuple(spoken(round(_rounded(start * 4**step) * MICRO)) for step in range(1, 7))


def _count(key: str, value: int, workers: int) -> Knob | None:
    """Fewer workers, or more usernames or IPs: never more of them than there are workers."""
    if key.endswith("workers"):
        ladder = tuple(
            sorted({max(1, value >> shift) for shift in range(1, 12)} - {value}, reverse=True)
        )
        return Knob(key, value, "whole", (ladder,)) if value > 1 else None
    ladder = tuple(sorted({min(workers, value << shift) for shift in range(1, 8)} - {value}))
    return Knob(key, value, "whole", (ladder,), PAID) if ladder else None


def set_to(tables: Mapping[str, Any], key: str, value: Any) -> keys.Tables:
    """The tables with ``value`` at the dotted key; None removes it. Another strategy loses the
    options of the old one.
    """
    changed = keys.put(tables, key, keys.MISSING if value is None else value)
    return keys.remove(changed, "sender.options") if key == "sender.strategy" else changed
