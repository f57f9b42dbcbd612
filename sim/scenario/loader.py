"""From a file to a :class:`Scenario`, or to a ScenarioError with every mistake in it.

:func:`load_scenario` reads a file, sets overrides, and finds the policy, strategy and trace that
the file names. The options of a shipped strategy are checked here. A strategy file of the user is
only looked for and never executed: that is done in a child process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ..errors import ScenarioError
from ..measure.expectations import Expectation
from ..relay.kinds import KINDS
from ..relay.policy import Policy
from ..relay.policy_file import load as load_policy
from ..schema_base import NOT_A_TABLE, details, problem, read_toml
from ..strategies import catalogue
from ..text import one_line, printable, shown
from .expectations import parse_expectations
from .overrides import blamed, with_override
from .schema import HORIZON, TABLES, Faults, Network, ScenarioFile, SenderSpec, Trace, Workload
from .trace import read_trace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that can run. ``until`` is in microseconds, ``arrivals`` are those of a trace, and
    ``file`` is the file and the name of a strategy of the user.
    """

    name: str
    title: str
    about: str
    seed: int
    until: int | None
    policy: Policy
    workload: Workload
    sender: SenderSpec
    network: Network
    faults: Faults
    expectations: tuple[Expectation, ...]
    place: str
    arrivals: tuple[int, ...] = ()
    file: tuple[Path, str] | None = None
    overrides: tuple[str, ...] = ()
    command: str | None = None

    @property
    def horizon(self) -> int:
        """The latest virtual time at which the run stops, exclusive."""
        return self.until if self.until is not None else HORIZON

    @property
    def strategy(self) -> str:
        """The strategy as the file names it."""
        assert self.sender.strategy is not None, "code is refused by the loader"
        return self.sender.strategy


def load_scenario(path: Path, overrides: Sequence[str] = (), seed: int | None = None) -> Scenario:
    """The scenario in ``path`` with ``overrides`` (``dotted.key=value``) set; ScenarioError with
    every mistake.

    The place of a mistake is the file, or ``--set KEY=VALUE (on FILE)`` where an override made it.
    """
    data = read_toml(path)
    place = str(path)

    def built(overrides: Sequence[str]) -> Scenario:
        return build(data, place, printable(path.stem), path.parent, overrides, seed)

    try:
        return built(overrides)
    except ScenarioError as error:
        if not overrides:
            raise
        raise blamed(error, overrides, _mistakes(lambda: built(())), place) from None


def _mistakes(make: Callable[[], object]) -> list[ScenarioError]:
    try:
        make()
    except ScenarioError as error:
        return list(error.each())
    return []


def build(
    data: Mapping[str, Any],
    place: str,
    name: str,
    folder: Path,
    overrides: Sequence[str] = (),
    seed: int | None = None,
) -> Scenario:
    """The scenario of the tables ``data``. Relative paths in it start at ``folder``."""
    try:
        return _built(data, place, name, folder, overrides, seed)
    except RecursionError:
        raise ScenarioError(
            place, "", "has tables within tables too deep to be read; no key needs more than four"
        ) from None


def _built(
    data: Mapping[str, Any],
    place: str,
    name: str,
    folder: Path,
    overrides: Sequence[str],
    seed: int | None,
) -> Scenario:
    whole = deepcopy(dict(data))
    for override in overrides:
        whole = with_override(whole, override)
    if seed is not None:
        whole["seed"] = seed
    mistakes = _Mistakes(place)
    file = mistakes.read(whole)
    policy = mistakes.gather(
        "policy", lambda: load_policy(file.policy.use, file.policy.changes, place, folder)
    )
    # A mistake in [policy] is not one in [expect] too.
    limits = policy.limits if policy else tuple(KINDS)
    expectations = mistakes.gather("expect", lambda: parse_expectations(file.expect, limits, place))
    arrivals = mistakes.gather(REFERENCES, lambda: _arrivals(file.workload, place, folder))
    strategy = mistakes.gather(REFERENCES, lambda: _strategy(file.sender, place, folder))
    mistakes.settle()
    assert policy is not None, "settle raises where one is missing"
    return Scenario(
        name,
        file.title or name,
        file.about,
        file.seed,
        file.until,
        policy,
        file.workload,
        file.sender,
        file.network,
        file.faults,
        expectations or (),
        place,
        arrivals or (),
        strategy,
        tuple(overrides),
    )


UNKNOWN = "unknown keys"
REFERENCES = "references"
"""Group the mistakes outside any table, and those in files and names that a table refers to."""

STAND_INS: Mapping[str, Any] = {
    "workload": {"kind": "batch", "messages": 1},
    "sender": {"strategy": "paced"},
}
"""Replace a required table that is wrong, so that the references of the others can be checked."""


class _Mistakes:
    """The mistakes of a file by their table, so that all of them are reported at once."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._found: dict[str, list[ScenarioError]] = {
            name: [] for name in (UNKNOWN, *TABLES, REFERENCES)
        }

    def read(self, tables: Mapping[str, Any]) -> ScenarioFile:
        """The file; the tables that are wrong are noted and left at their default."""
        try:
            return ScenarioFile.model_validate(tables)
        except ValidationError as error:
            for detail in details(error):
                name = str(detail["loc"][0])
                found = self._found[name if name in TABLES else UNKNOWN]
                found.append(_mistake(detail, self._place))
        right = {key: tables[key] for key in TABLES if key in tables and not self._found[key]}
        return ScenarioFile.model_validate({**STAND_INS, **right})

    def gather(self, name: str, make: Callable[[], T]) -> T | None:
        """``make()``, or None where it raises a mistake, which is noted."""
        try:
            return make()
        except ScenarioError as error:
            self._found[name].append(error)
            return None

    def settle(self) -> None:
        """Raises all mistakes as one ScenarioError, in the order of the file's tables."""
        found = [one for errors in self._found.values() for error in errors for one in error.each()]
        if found:
            raise ScenarioError.joined(
                [
                    ScenarioError(one.place, one_line(one.key), one_line(one.problem))
                    for one in found
                ]
            )


def _mistake(detail: Mapping[str, Any], place: str) -> ScenarioError:
    """The mistake that pydantic found. One about a whole table has its own remedy."""
    name, *inside = detail["loc"]
    if not inside and detail["type"] == "missing":
        return ScenarioError(place, f"[{name}]", "is a required table")
    if not inside and detail["type"] in NOT_A_TABLE:
        use = ' and use = "mailersend"' if name == "policy" else ""
        remedy = f"{shown(detail['input'])} is not a table; write [{name}]{use}"
        return ScenarioError(place, str(name), remedy)
    return problem(ScenarioFile, detail, place)


def _arrivals(workload: Workload, place: str, folder: Path) -> tuple[int, ...]:
    return read_trace(folder / workload.file, place) if isinstance(workload, Trace) else ()


def _strategy(sender: SenderSpec, place: str, folder: Path) -> tuple[Path, str] | None:
    """Checks a shipped strategy and its options, or finds the file of a strategy of the user."""
    if sender.strategy is None:
        raise ScenarioError(
            place,
            "sender.code",
            "production code in virtual time is not yet in this version; use strategy",
        )
    try:
        if catalogue.is_path(sender.strategy):
            return catalogue.split(sender.strategy, folder)
        strategy = catalogue.shipped(sender.strategy)
    except ValueError as error:
        raise ScenarioError(place, "sender.strategy", str(error)) from None
    except OSError as error:
        problem = f"{shown(sender.strategy)} cannot be looked for: {error.strerror}"
        raise ScenarioError(place, "sender.strategy", problem) from None
    catalogue.check_options(strategy, sender.options, place)
    return None
