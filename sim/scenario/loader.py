"""From a file to a Scenario, or to every mistake in it: tables read strictly, overrides laid on,
references found.

A shipped strategy and its options are checked here. A person's own strategy file is only looked
for, never executed: that is done where it cannot do harm. Knows nothing of running.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from ..errors import ScenarioError, nearest
from ..measure.expectations import Expectation, parse_expectations
from ..relay.policy import LIMITS, Policy
from ..relay.policy_file import load as load_policy
from ..schema_base import Duration, Table, read, read_toml, unknown_key
from ..strategies import catalogue
from ..text import one_line, printable, shown
from .overrides import blamed, segments
from .schema import HORIZON, LONGEST_FOR, WORKLOADS, Faults, Network, SenderSpec, Trace, Workload
from .trace import read_trace

T = TypeVar("T")

TABLES = (
    "title",
    "about",
    "seed",
    "until",
    "policy",
    "workload",
    "sender",
    "network",
    "faults",
    "expect",
)


class Head(Table):
    """The keys above the tables."""

    title: str | None = None
    about: str = ""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    until: Annotated[Duration, Field(ge=1, le=LONGEST_FOR)] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that can run. ``until`` is microseconds or None; ``arrivals`` are a trace's;
    ``file`` the strategy's file.
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
        """The virtual time at which the run stops at the latest, exclusive."""
        return self.until if self.until is not None else HORIZON

    @property
    def strategy(self) -> str:
        """The strategy as it was written."""
        assert self.sender.strategy is not None, "code is refused by the loader"
        return self.sender.strategy


def load_scenario(path: Path, overrides: Sequence[str] = (), seed: int | None = None) -> Scenario:
    """The scenario in ``path`` with ``overrides`` (``dotted.key=value``) laid on; ScenarioError
    with every mistake.

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
    """The scenario of the tables ``data``; ``folder`` is where its relative paths begin."""
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
        lay_on(whole, override)
    if seed is not None:
        whole["seed"] = seed
    gathered = _Gathered([])
    for key in whole:
        if key not in TABLES:
            gathered.errors.append(ScenarioError(place, key, unknown_key(key, list(TABLES))))
    head = gathered.take(
        lambda: read(Head, {key: whole[key] for key in Head.model_fields if key in whole}, place)
    )
    policy = gathered.take(lambda: _policy(whole.get("policy", {}), place, folder))
    workload = gathered.take(lambda: _workload(_required(whole, "workload", place), place))
    sender = gathered.take(
        lambda: read(SenderSpec, _required(whole, "sender", place), place, "sender")
    )
    network = gathered.take(
        lambda: read(Network, _table(whole, "network", place), place, "network")
    )
    faults = gathered.take(lambda: read(Faults, _table(whole, "faults", place), place, "faults"))
    limits = policy.limits if policy else LIMITS  # a mistake in [policy] is not one in [expect] too
    expect = gathered.take(
        lambda: parse_expectations(_table(whole, "expect", place), limits, place)
    )
    arrivals = gathered.take(
        lambda: read_trace(folder / workload.file, place) if isinstance(workload, Trace) else ()
    )
    file = gathered.take(lambda: _strategy(sender, place, folder) if sender else None)
    gathered.settle()
    # settle raises if one is missing
    assert head and policy and workload  # noqa: PT018 -- one thought
    assert sender and network and faults  # noqa: PT018
    return Scenario(
        name,
        head.title or name,
        head.about,
        head.seed,
        head.until,
        policy,
        workload,
        sender,
        network,
        faults,
        expect or (),
        place,
        arrivals or (),
        file,
        tuple(overrides),
    )


def lay_on(data: dict[str, Any], override: str) -> None:
    """Lays ``dotted.key=value`` on the tables; the value is TOML, or a string where it is no TOML.

    What stands behind ``sender.options`` or ``expect`` is one name, dots and all, with quotes or
    without.
    """
    key, equals, text = override.partition("=")
    parts = segments(key)
    if not equals or not all(parts):
        raise ScenarioError(
            "--set", "", f"{shown(override)} is not KEY=VALUE; write it like workload.messages=500"
        )
    for whole in (["expect"], ["sender", "options"]):
        if parts[: len(whole)] == whole and len(parts) > len(whole):
            parts = [*whole, ".".join(parts[len(whole) :])]
    table = data
    for part in parts[:-1]:
        below = table.get(part)
        if not isinstance(below, dict):
            # A limit's bare number becomes a table when one of its fields is set.
            below = (
                {"count": below} if isinstance(below, int) and not isinstance(below, bool) else {}
            )
            table[part] = below
        table = below
    table[parts[-1]] = toml_value(text.strip())


def toml_value(text: str) -> Any:
    """``text`` as a TOML value; the text itself where it is none, so that ``window=sliding`` needs
    no quotes.
    """
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except (
        ValueError,
        RecursionError,
    ):  # a whole number of thousands of digits is a mere ValueError
        return text


@dataclass(slots=True)
class _Gathered:
    """Collects the mistakes of every table, so that a person sees all of them at once."""

    errors: list[ScenarioError]

    def take(self, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except ScenarioError as error:
            self.errors.append(error)
            return None

    def settle(self) -> None:
        if self.errors:
            flat = [single for error in self.errors for single in error.each()]
            raise ScenarioError.joined(
                [ScenarioError(one.place, one_line(one.key), one_line(one.problem)) for one in flat]
            )


def _required(whole: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    if key not in whole:
        raise ScenarioError(place, f"[{key}]", "is a required table")
    return _table(whole, key, place)


def _table(whole: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    found = whole.get(key, {})
    if not isinstance(found, Mapping):
        raise ScenarioError(place, key, f"{shown(found)} is not a table; write [{key}]")
    return found


def _policy(table: object, place: str, folder: Path) -> Policy:
    if not isinstance(table, Mapping):
        raise ScenarioError(
            place, "policy", f'{shown(table)} is not a table; write [policy] and use = "mailersend"'
        )
    overlay = dict(table)
    use = overlay.pop("use", "mailersend")
    if not isinstance(use, str):
        raise ScenarioError(
            place, "policy.use", f"{shown(use)} is not a string; write a shipped policy or a path"
        )
    return load_policy(use, overlay, place, folder)


def _workload(table: Mapping[str, Any], place: str) -> Any:
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in WORKLOADS:
        said = (
            "is required"
            if kind is None
            else f"{shown(kind)} is no workload{nearest(kind, WORKLOADS) if isinstance(kind, str) else ''}"
        )
        raise ScenarioError(place, "workload.kind", f"{said}; allowed: {', '.join(WORKLOADS)}")
    return read(WORKLOADS[kind], table, place, "workload")


def _strategy(sender: SenderSpec, place: str, folder: Path) -> tuple[Path, str] | None:
    """Checks a shipped strategy and its options; finds the file of a person's own."""
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
