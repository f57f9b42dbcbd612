"""What a check reads and what it finds: settings with their lines, ways to send with them,
findings. Rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..measure import Result
from ..units import MICRO


class Setting(NamedTuple):
    """A value of the file and the line, from 1, on which it stands; ``outside``: the default of
    what is looked up elsewhere.
    """

    value: Any
    line: int
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the file. ``refused`` says that messages are refused or never leave because
    of it.

    ``line`` and ``setting`` are None where no line of the file is at fault; ``instead`` is what to
    write there. ``limit`` is the policy's key where one was met.
    """

    what: str
    setting: str | None = None
    line: int | None = None
    why: str = ""
    instead: str = ""
    refused: bool = False
    limit: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it is printed."""
        names = ("line", "setting", "limit", "refused", "what", "why", "instead")
        return {name: getattr(self, name) for name in names}


def stops(what: str, setting: str, line: int | None, why: str = "", instead: str = "") -> Finding:
    """A finding because of which messages are refused or never leave."""
    return Finding(what, setting, line, why, instead, refused=True)


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a program may send with these settings. ``decides``: whether it says if the
    file holds.
    """

    title: str
    options: Mapping[str, object]
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """What a file says. ``strategy`` is None where nothing is sent through a relay; ``lines`` has
    the line of each setting.

    ``network`` is what the file says of a scenario's network.
    """

    strategy: str | None
    ways: tuple[Way, ...]
    findings: tuple[Finding, ...]
    lines: Mapping[str, int] = field(default_factory=dict)
    network: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """A way, and what came of it in virtual time."""

    way: Way
    result: Result

    @property
    def refused(self) -> bool:
        """Whether a limit answered, or a message was lost."""
        return self.result.incidents.total > 0 or self.result.messages.lost > 0


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer. ``better`` are options that were run and refused nowhere, ``snippet`` the same to
    paste; None if none is known.
    """

    place: str
    kind: str
    policy: str
    findings: tuple[Finding, ...]
    trials: tuple[Trial, ...]
    better: Mapping[str, object] | None = None
    snippet: str | None = None
    unmodelled: str | None = None
    """A sentence where this version cannot run the library."""
    rtt: int | None = None
    """Microseconds of the round trip that it was judged over; None where nothing was run."""

    @property
    def passed(self) -> bool:
        """Whether nothing would be refused."""
        return not any(one.refused for one in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """As it is printed."""
        return {
            "file": self.place,
            "kind": self.kind,
            "policy": self.policy,
            "passed": self.passed,
            "rtt_s": None if self.rtt is None else self.rtt / MICRO,
            "findings": [one.to_dict() for one in self.findings],
            "ways": [
                {
                    "title": one.way.title,
                    "decides": one.way.decides,
                    "options": dict(one.way.options),
                    "submitted": one.result.messages.submitted,
                    "accepted": one.result.messages.accepted,
                    "lost": one.result.messages.lost,
                    "incidents": dict(one.result.incidents.by_limit),
                    "command": one.result.command,
                }
                for one in self.trials
            ],
            "better": None if self.better is None else dict(self.better),
            "snippet": self.snippet,
            "unmodelled": self.unmodelled,
        }
