"""What a person asks for: messages by a deadline, a rate with a latency objective, a day, a
recorded trace, mail beside a campaign.

A demand is a workload and what must hold of its result. Times are microseconds. Knows results, not
limits or settings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ScenarioError
from ..measure import Result
from ..measure.formatting import lasting, number, plural
from ..scenario.schema import MOST_MESSAGES
from ..scenario.trace import read_trace
from ..units import MICRO, spoken

MINUTE = 60 * MICRO
HOUR = 3_600 * MICRO

SUSTAINED = 10 * MINUTE
OBJECTIVE = 30 * MINUTE
"""How long a rate is held in the proof: with messages always waiting, and with arrivals of their
own.
"""

RELEASED = Fraction(97, 100)
"""A campaign beside other mail is let into the outbox evenly over so much of its time; the rest is
there to finish.
"""


@dataclass(frozen=True, slots=True)
class Demand:
    """A demand: make one with the functions below. ``workload`` is the scenario's table; ``within``
    and ``p99`` are bounds or None.

    ``per_min`` is what the sender must at least carry for long; ``messages`` about how many there
    are; ``batch`` says that all wait from the start, so that the closed form knows when they are
    sent. ``asked`` are the words of the person.
    """

    workload: dict[str, Any]
    within: int | None
    p99: int | None
    per_min: Fraction
    messages: int
    batch: bool
    asked: str
    rate: bool = False
    note: str = ""

    def drain_s(self, result: Result) -> float:
        """Seconds until the last message was accepted."""
        return result.duration_s

    def met(self, result: Result) -> bool:
        """Whether the run did all that was asked, with every message accepted and without an
        incident.
        """
        return self.safe(result) and all(value <= bound for value, bound in self.measured(result))

    def safe(self, result: Result) -> bool:
        """Whether every message was accepted and no limit met, however long it took."""
        counts = result.messages
        return (
            result.ended == "settled"
            and counts.accepted == counts.submitted
            and result.incidents.total == 0
        )

    def measured(self, result: Result) -> list[tuple[float, float]]:
        """Each bounded number of the result with its bound, in seconds."""
        found = []
        if self.within is not None:
            found.append((result.duration_s, self.within / MICRO))
        if self.p99 is not None:
            found.append(
                (
                    math.inf if result.latency_s.p99 is None else result.latency_s.p99,
                    self.p99 / MICRO,
                )
            )
        return found

    def shortened(self, most: int) -> Demand:
        """The same pace asked of ``most`` messages; itself where it has no more, or where they do
        not all wait from the start.

        The first and the last connection count for more in it, so that it is a little harder to
        meet.
        """
        if not self.batch or self.within is None or self.messages <= most:
            return self
        within = self.within * most // self.messages
        return replace(
            self, workload={**self.workload, "messages": most}, within=within, messages=most
        )

    def expectations(self) -> dict[str, str]:
        """The same as a scenario's ``[expect]`` table."""
        found = {"ended": "== settled", "messages.lost": "== 0", "incidents.total": "== 0"}
        if self.within is not None:
            found["duration_s"] = f"<= {number(self.within / MICRO).replace(',', '')}"
        if self.p99 is not None:
            found["latency_s.p99"] = f"<= {number(self.p99 / MICRO).replace(',', '')}"
        return found


def by_deadline(messages: int, within: int) -> Demand:
    """``messages``, all there at once, accepted within ``within``."""
    _whole(messages, "--messages")
    per_min = Fraction(messages * MINUTE, _positive(within, "--within"))
    asked = f"{plural(messages, 'message')} within {lasting(within)}"
    return Demand(
        {"kind": "batch", "messages": messages},
        within,
        None,
        per_min,
        messages,
        batch=True,
        asked=asked,
    )


def at_rate(rate: Fraction, p99: int | None = None, lasts: int | None = None) -> Demand:
    """``rate`` messages a microsecond. With ``p99`` they come at random and 99 of 100 are accepted
    so soon; without, they wait.

    Without ``p99`` the proof holds the rate over ``lasts`` with messages always waiting: as many as
    come in that time must be accepted within it.
    """
    per_min = rate * MINUTE
    length = OBJECTIVE if p99 else SUSTAINED
    if lasts is not None:
        length = _positive(lasts, "--for")
    messages = max(1, math.ceil(rate * length))
    _whole(messages, "--rate")
    asked = f"{number(float(per_min))} messages a minute"
    if p99 is None:
        whole = {"kind": "batch", "messages": messages}
        note = f"proven with messages always waiting, over {lasting(length)}"
        return Demand(
            whole, length, None, per_min, messages, batch=True, asked=asked, rate=True, note=note
        )
    table = {"kind": "poisson", "rate": rate_text(rate), "for": spoken(length)}
    asked += f", 99 of 100 accepted within {lasting(_positive(p99, '--p99'))}"
    note = f"proven with independent (Poisson) arrivals over {lasting(length)}"
    return Demand(
        table, None, p99, per_min, messages, batch=False, asked=asked, rate=True, note=note
    )


def of_day(profile: Sequence[float], p99: int, lasts: int = 24 * HOUR) -> Demand:
    """A day of ``profile`` messages an hour (24 values from midnight), 99 of 100 accepted within
    ``p99``.
    """
    if len(profile) != 24 or not any(profile) or min(profile) < 0:
        raise ScenarioError(
            "command line",
            "--profile",
            f"{len(profile)} values; 24 are needed, of 0 or more, one above 0",
        )
    hours = [profile[hour % 24] for hour in range(-(-lasts // HOUR))]
    messages = round(sum(hours))
    _whole(messages, "--profile")
    table = {"kind": "daily", "profile": list(profile), "for": spoken(lasts)}
    asked = (
        f"a day of {messages:,} messages with {max(profile):,.0f} in its busiest hour, 99 of "
        f"100 accepted within {lasting(p99)}"
    )
    return Demand(
        table,
        None,
        _positive(p99, "--p99"),
        Fraction(max(hours)) / 60,
        messages,
        batch=False,
        asked=asked,
    )


def of_trace(file: Path, p99: int) -> Demand:
    """The arrivals recorded in ``file``, 99 of 100 accepted within ``p99``."""
    at = np.array(read_trace(file, "command line"), dtype=np.int64)
    _positive(p99, "--p99")
    # In any hour those that come, but for the hundredth that may be late, must leave within it or
    # ``p99`` later.
    most = int((np.searchsorted(at, at + HOUR) - np.arange(len(at))).max()) if len(at) else 0
    per_min = Fraction(max(1, most - len(at) // 100) * MINUTE, min(HOUR, int(at[-1]) + 1) + p99)
    asked = (
        f"{plural(len(at), 'message')} as recorded in {file.name}, 99 of 100 accepted within "
        f"{lasting(p99)}"
    )
    table = {"kind": "trace", "file": str(file.resolve())}
    return Demand(table, None, p99, per_min, len(at), batch=False, asked=asked)


def beside_campaign(messages: int, within: int, rate: Fraction, p99: int) -> Demand:
    """A campaign of ``messages`` within ``within``, and all the while ``rate`` of mail of which 99
    of 100 go within ``p99``.

    In one outbox a campaign put in at once would stand before everything else, so it is let in
    evenly. The proof draws both together as one Poisson stream, which is more uneven than an even
    campaign beside one, so the latency is not told too well.
    """
    _whole(messages, "--messages")
    length = round(_positive(within, "--within") * RELEASED)
    total = Fraction(messages, length) + rate
    count = math.ceil(total * length)
    _whole(count, "--messages")
    per = number(float(Fraction(messages * MINUTE, length)))
    table = {"kind": "poisson", "rate": rate_text(total), "for": f"{length / MICRO:.6f}s"}
    asked = (
        f"a campaign of {plural(messages, 'message')} within {lasting(within)} and "
        f"{number(float(rate * MINUTE))} messages a "
        f"minute beside it, 99 of 100 of those within {lasting(_positive(p99, '--p99'))}"
    )
    note = (
        f"let the campaign into the outbox evenly, {per} messages a minute: put in at once it "
        "would stand before everything else"
    )
    return Demand(table, within, p99, total * MINUTE, count, batch=False, asked=asked, note=note)


def rate_text(rate: Fraction) -> str:
    """``rate`` messages a microsecond as a scenario writes it, to nine digits."""
    per_min = float(rate * MINUTE)
    return f"{per_min:.9f}".rstrip("0").rstrip(".") + "/min"


def _whole(messages: int, key: str) -> None:
    if not 1 <= messages <= MOST_MESSAGES:
        raise ScenarioError(
            "command line", key, f"makes {messages:,} messages; 1 to {MOST_MESSAGES:,} are allowed"
        )


def _positive(micros: int, key: str) -> int:
    if micros <= 0:
        raise ScenarioError("command line", key, "must be longer than 0")
    return micros
