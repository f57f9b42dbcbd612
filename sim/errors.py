"""The one tree of errors, each with a sentence for the person who reads it.

Knows nothing of any other module. The peer's mistakes are replies, never exceptions; ours are
assertions; what is here is either the person's mistake (:class:`ScenarioError`,
:class:`StrategyError`) or what a strategy sees of the relay (:class:`Refused`,
:class:`Disconnected`).

All of them can be rebuilt from ``.args``, because SimPy re-raises a process's exception as
``type(exc)(*exc.args)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches


class RelaysimError(Exception):
    """Base of every error that relaysim raises on purpose."""


class ScenarioError(RelaysimError):
    """A person's mistake in a file or a call: place, value and remedy in one line.

    ``place`` is the file (or ``command line``), ``key`` the dotted key, ``problem`` the value and
    the remedy. Further mistakes of the same file stand in ``others``; ``str()`` gives a line for
    each.
    """

    def __init__(self, place: str, key: str, problem: str, *others: ScenarioError) -> None:
        super().__init__(place, key, problem, *others)
        self.place = place
        self.key = key
        self.problem = problem
        self.others = others

    @classmethod
    def joined(cls, errors: Sequence[ScenarioError]) -> ScenarioError:
        """One error that holds all of ``errors``, of which there is at least one."""
        flat = [cls(one.place, one.key, one.problem) for error in errors for one in error.each()]
        first, *rest = flat
        return cls(first.place, first.key, first.problem, *rest)

    def each(self) -> Iterator[ScenarioError]:
        """Every mistake that is in this one, itself first."""
        yield self
        for other in self.others:
            yield from other.each()

    def __str__(self) -> str:
        own = ": ".join(part for part in (self.place, self.key, self.problem) if part)
        return "\n".join([own, *map(str, self.others)])


class StrategyError(RelaysimError):
    """A strategy did what no sender can do, such as putting back a message that it does not
    have.
    """


class Refused(RelaysimError):
    """The relay answered with a 4xx or 5xx. ``code`` and ``text`` are as a client sees them."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Disconnected(RelaysimError):
    """No connection: TCP refused it, it died, or it timed out."""


def nearest(given: str, allowed: Iterable[str]) -> str:
    """``; did you mean "x"?`` for a likely misspelling of one of ``allowed``, else an empty
    string.
    """
    close = get_close_matches(given, list(allowed), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""
