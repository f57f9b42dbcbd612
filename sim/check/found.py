"""The rows that a check passes around: settings with their lines, how a program sends with them
(:class:`Usage`), findings, and the whole answer (:class:`Checked`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..measure import Result
from ..units import MICRO

RELAYS_HOST = "smtp.mailersend.net"
"""The host of the relay that every file is checked against."""


class Setting(NamedTuple):
    """A value of the file and its line, counted from 1. ``outside`` marks the default of a value
    that the file looks up elsewhere, such as in the environment.
    """

    value: Any
    line: int
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the file. ``refused`` means that messages are refused or never leave because
    of it.

    ``line`` and ``setting`` are None where no line of the file is the cause; ``instead`` is what to
    write there. ``limit`` is the policy's key if a limit refused something.
    """

    what: str
    setting: str | None = None
    line: int | None = None
    why: str = ""
    instead: str = ""
    refused: bool = False
    limit: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The finding in the JSON output."""
        names = ("line", "setting", "limit", "refused", "what", "why", "instead")
        return {name: getattr(self, name) for name in names}


def stops(what: str, setting: str, line: int | None, why: str = "", instead: str = "") -> Finding:
    """A finding because of which messages are refused or never leave."""
    return Finding(what, setting, line, why, instead, refused=True)


@dataclass(frozen=True, slots=True)
class Usage:
    """One way in which a program may send with these settings, as ``options`` of the library's
    model. The file passes or fails by the usages that have ``decides``; the others are information.
    """

    title: str
    options: Mapping[str, object]
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """A file, translated. ``strategy`` is the library's model, None if nothing goes through a
    relay. ``lines`` has the line of each setting.

    ``network`` holds the keys of a scenario's network that the file determines.
    """

    strategy: str | None
    usages: tuple[Usage, ...]
    findings: tuple[Finding, ...]
    lines: Mapping[str, int] = field(default_factory=dict)
    network: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A usage and the result of its run in virtual time."""

    usage: Usage
    result: Result

    @property
    def refused(self) -> bool:
        """Whether a limit refused something, or a message was lost."""
        return self.result.incidents.total > 0 or self.result.messages.lost > 0


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer. ``better`` are options whose run was refused nowhere, ``snippet`` the same as
    code to paste; None if none is known.
    """

    place: str
    kind: str
    policy: str
    findings: tuple[Finding, ...]
    runs: tuple[CheckRun, ...]
    better: Mapping[str, object] | None = None
    snippet: str | None = None
    unmodelled: str | None = None
    """A sentence if this version has no model of the library."""
    rtt: int | None = None
    """The round trip of the runs in microseconds; None if nothing was run."""

    @property
    def passed(self) -> bool:
        """Whether nothing would be refused."""
        return not any(one.refused for one in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The answer in the JSON output."""
        return {
            "file": self.place,
            "kind": self.kind,
            "policy": self.policy,
            "passed": self.passed,
            "rtt_s": None if self.rtt is None else self.rtt / MICRO,
            "findings": [one.to_dict() for one in self.findings],
            "ways": [
                {
                    "title": one.usage.title,
                    "decides": one.usage.decides,
                    "options": dict(one.usage.options),
                    "submitted": one.result.messages.submitted,
                    "accepted": one.result.messages.accepted,
                    "lost": one.result.messages.lost,
                    "incidents": dict(one.result.incidents.by_limit),
                    "command": one.result.command,
                }
                for one in self.runs
            ],
            "better": None if self.better is None else dict(self.better),
            "snippet": self.snippet,
            "unmodelled": self.unmodelled,
        }
