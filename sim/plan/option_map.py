"""Which options of a strategy set messages a connection and the time between logins: a declarative
table, one row a strategy.

A row says how a setting is spelt for one strategy, so that a library is searched in its own
options. A strategy without a row that declares ``per_connection`` and ``pause`` is taken at its
word. Knows nothing of limits or of the search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import ScenarioError, nearest
from ..strategies import catalogue
from ..strategies.snippets import LOOPS
from ..units import MICRO, spoken

Shape = Literal["spacing", "pause", "rate"]
"""What the gap is between: logins of a username over all workers; a worker's connections; ``size``
messages of a worker.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the search varies. ``gap`` is microseconds; what it lies between is the shape of the
    strategy's knobs.

    ``parallel`` is how many connections one worker keeps open at once, 1 for a strategy that has no
    such option.
    """

    workers: int
    usernames: int
    ips: int
    size: int
    gap: int
    parallel: int = 1

    @property
    def cost(self) -> tuple[int, int, int]:
        """What a setting costs, dearest first: usernames, IPs, connections at once."""
        return self.usernames, self.ips, self.workers * self.parallel


@dataclass(frozen=True, slots=True)
class Knobs:
    """How settings are spelt for ``strategy``. ``options(setting)`` are its options; ``gap`` and
    ``size`` name two of them.

    ``parallel`` names the option for connections at once inside a worker, for a library that pools
    them itself; then that is searched, and ``workers`` stays at the number of usernames. ``plain``
    says that a connection takes the round trips of ``api.Connection``, so that its time is known in
    closed form; otherwise it is measured.
    """

    strategy: str
    shape: Shape
    size: str
    gap: str
    spell: Callable[[int], object] = spoken
    always: Mapping[str, object] = field(default_factory=dict)
    parallel: str | None = None
    limit: str | None = None
    """The option for how many messages go in a gap, where the shape is ``rate``."""
    awaited: str | None = None
    """The option for how many messages a process has in hand: one for each connection, so that
    processes share them out.
    """
    plain: bool = False
    step: int = 1_000
    """The gap is a multiple of so many microseconds."""

    def options(self, setting: Setting) -> dict[str, object]:
        """The strategy's options for ``setting``."""
        found: dict[str, object] = {
            **self.always,
            self.size: setting.size,
            self.gap: self.spell(setting.gap),
        }
        if self.parallel is not None:
            found[self.parallel] = setting.parallel
        if self.awaited is not None:
            found[self.awaited] = setting.parallel
        if self.limit is not None:
            found[self.limit] = setting.size if setting.gap else 0
        return found


def milliseconds(micros: int) -> int:
    """Whole milliseconds, rounded up: for options that are plain numbers of them."""
    return -(-micros // 1_000)


def whole_seconds(micros: int) -> int:
    """Whole seconds, rounded up."""
    return -(-micros // MICRO)


KNOBS: dict[str, Knobs] = {
    "paced": Knobs("paced", "spacing", "size", "spacing", plain=True),
    "batches": Knobs("batches", "pause", "size", "pause", plain=True),
    "phpmailer": Knobs(
        "phpmailer", "pause", "per_connection", "pause", always={"SMTPKeepAlive": True}
    ),
    "symfony-mailer": Knobs(
        "symfony-mailer",
        "pause",
        "restart_threshold",
        "restart_threshold_sleep",
        spell=whole_seconds,
        step=MICRO,
    ),
    "nodemailer": Knobs(
        "nodemailer",
        "rate",
        "maxMessages",
        "rateDelta",
        spell=milliseconds,
        always={"pool": True},
        parallel="maxConnections",
        limit="rateLimit",
        awaited="concurrent",
    ),
}
"""The row of each strategy that needs one of its own."""


def knobs_for(name: str) -> Knobs:
    """The knobs of a shipped strategy or library; ScenarioError for a name that is none, or for one
    that has no knobs.
    """
    strategy = LOOPS.get(name, name)
    if strategy in KNOBS:
        return KNOBS[strategy]
    declared = catalogue.SHIPPED.get(strategy)
    if declared is None:
        close = nearest(name, known())
        raise ScenarioError(
            "command line",
            "--for",
            f'"{name}" cannot be planned for; allowed: {", ".join(known())}{close}',
        )
    options = catalogue.shipped(strategy).options
    if not {"per_connection", "pause"} <= set(options):
        raise ScenarioError(
            "command line",
            "--for",
            f'"{name}" has no option for messages a connection and the time between its logins; '
            f"allowed: {', '.join(known())}",
        )
    return Knobs(strategy, "pause", "per_connection", "pause")


def known() -> list[str]:
    """Every name that ``--for`` takes."""
    declaring = [
        name
        for name in catalogue.SHIPPED
        if {"per_connection", "pause"} <= set(catalogue.shipped(name).options)
    ]
    return sorted({*KNOBS, *LOOPS, *declaring})
