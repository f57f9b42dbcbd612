"""Runs what a file says through its library's model, and puts what came of it beside what could be
told by reading.

Knows no library: a kind brings how it is read, what its options are, and which of them is to blame
for which limit.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import units
from ..measure.result import Finding as Met
from ..relay import Policy, kinds
from ..runner import run_here
from ..scenario import Scenario, build
from ..strategies import catalogue
from ..strategies.snippets import snippet_for
from ..units import MICRO
from . import django, nodemailer, postfix
from .found import Case, Checked, Finding, Trial, Way

KINDS: dict[str, ModuleType] = {
    nodemailer.KIND: nodemailer,
    django.KIND: django,
    postfix.KIND: postfix,
}

BESIDE = ("network.rtt=1ms", "network.jitter=0", "network.relay_time=0")
"""A relay in the next room."""

MARGIN = 1.04
"""Logins that are per / count apart stand on the edge of a window; so much more leaves room for a
timer that is early.
"""


def judge(
    text: str,
    place: str,
    kind: str,
    *,
    messages: int,
    overrides: Sequence[str],
    seed: int | None,
    command: Sequence[str],
) -> Checked:
    """The whole answer. ScenarioError for a file that is none of ``kind``, and for an override that
    is none.
    """
    module = KINDS[kind]
    case: Case = module.translate(module.read(text, place), place)
    bench = Bench(case, place, messages, overrides, seed, command)
    policy = bench.scenario(Way("", {})).policy
    said = policy.title or policy.name
    if case.strategy is None:
        return Checked(place, kind, said, case.findings, ())
    if case.strategy not in catalogue.SHIPPED:
        told = (*case.findings, *_without_model(module, case, policy))
        return Checked(
            place,
            kind,
            said,
            tuple(_ordered(told)),
            (),
            unmodelled=f"this version has no model of {case.strategy} to run",
        )
    trials = tuple(bench.run(way) for way in case.ways)
    away = bench.scenario(case.ways[0]).network.rtt
    findings = [
        *case.findings,
        *_all_found(module, case, trials, policy),
        *_beside(bench, trials, away),
    ]
    if not any(one.refused for one in findings):
        return Checked(place, kind, said, tuple(_ordered(findings)), trials, rtt=away)
    options = _better(module, case.ways[0].options, policy, bench)
    given = {**catalogue.shipped(case.strategy).options, **trials[0].way.options}
    findings = [_with_remedy(module, one, given, options) for one in findings]
    return Checked(
        place,
        kind,
        said,
        tuple(_ordered(findings)),
        trials,
        options,
        _snippet(module, case.strategy, options),
        rtt=away,
    )


class Bench:
    """Runs a way as a scenario of the file's: a batch of ``messages``, and what the call lays on
    it.
    """

    def __init__(
        self,
        case: Case,
        place: str,
        messages: int,
        overrides: Sequence[str],
        seed: int | None,
        command: Sequence[str],
    ) -> None:
        self._known = case.strategy in catalogue.SHIPPED
        self._strategy = case.strategy if self._known else "connection-per-message"
        self._network = case.network
        self._place = place
        self._messages = messages
        self._overrides = overrides
        self._seed = seed
        self._command = command

    def scenario(self, way: Way, more: Sequence[str] = ()) -> Scenario:
        """The scenario of ``way``. ScenarioError for an override that is none."""
        tables: dict[str, Any] = {
            "network": dict(self._network),
            "workload": {"kind": "batch", "messages": self._messages},
            "sender": {
                "strategy": self._strategy,
                "options": dict(way.options) if self._known else {},
            },
        }
        made = build(
            tables,
            self._place,
            Path(self._place).name,
            Path(),
            [*self._overrides, *more],
            self._seed,
        )
        return replace(made, command=shlex.join(self._command))

    @property
    def asked_beside(self) -> bool:
        """Whether nothing in the call says how far away the relay is."""
        return not any(each.startswith("network.") for each in self._overrides)

    def run(self, way: Way, more: Sequence[str] = ()) -> Trial:
        """``way`` in virtual time, with ``more`` overrides."""
        scenario = self.scenario(way, more)
        result = run_here(scenario).result
        return Trial(Way(way.title, dict(scenario.sender.options), way.decides), result)


def _all_found(
    module: ModuleType, case: Case, trials: Sequence[Trial], policy: Policy
) -> list[Finding]:
    """A finding for each limit that was met, and one for what was lost without any. A limit is told
    of the first way that met it.
    """
    found: list[Finding] = []
    told: set[str] = set()
    for trial in trials:
        result = trial.result
        way = trial.way
        title = "" if way.decides else f"{way.title}: "
        for met in result.diagnosis:
            if (
                met.limit is not None
                and met.limit not in told
                and result.incidents.by_limit.get(met.limit)
            ):
                told.add(met.limit)
                found.append(_of_limit(module, case, way, met, policy, title))
        if result.messages.lost and not result.incidents.total:
            what = f"{title}{result.messages.lost} of {result.messages.submitted} messages are lost"
            found.append(Finding(what, refused=way.decides))
    return found


def _beside(bench: Bench, trials: Sequence[Trial], away: int) -> Iterable[Finding]:
    """A note for each way that holds by nothing but the time which its round trips take."""
    if not bench.asked_beside:
        return
    for trial in trials:
        if trial.way.decides and not trial.refused:
            met = bench.run(trial.way, BESIDE).result.diagnosis
            if met and met[0].limit is not None:
                first = met[0].what.partition(". ")[0]
                what = f"it holds by the {units.spoken(away)} that each round trip is taken to last; over 1 ms, {first}"
                yield Finding(
                    what,
                    why=f"Say how far the relay is from your sender: --set network.rtt={units.spoken(away)}.",
                )


def _of_limit(
    module: ModuleType, case: Case, way: Way, met: Met, policy: Policy, title: str
) -> Finding:
    count = policy.carried
    assert met.limit is not None
    setting, value = module.said_for(met.limit, way, count)
    what = f"{value}: {met.what}"
    why = met.why
    if kinds.KINDS[met.limit].per_connection:
        what = f"fails at message {(count or 0) + 1}: {value}, this relay allows {count}"
        why = f"{met.what} {met.why}"
    return Finding(
        title + what,
        setting or None,
        case.lines.get(setting),
        why,
        refused=way.decides,
        limit=met.limit,
    )


def _without_model(module: ModuleType, case: Case, policy: Policy) -> Iterable[Finding]:
    """What can be told of the transaction limit by comparing numbers."""
    count = policy.carried
    if count is None:
        return
    for way in case.ways:
        most, setting, value, instead = module.most_messages(way, count)
        if most is None or most > count:
            what = f"fails at message {count + 1}: {value}, this relay allows {count}"
            yield Finding(
                what, setting, case.lines.get(setting), instead=instead, refused=way.decides
            )


def _better(
    module: ModuleType, options: Mapping[str, object], policy: Policy, bench: Bench
) -> dict[str, object] | None:
    """The first options that were run and refused nowhere."""
    gap = 0.0
    for kind, spec in policy.rates():
        each = kind.requests(policy.carried or 1)
        gap = max(gap, spec.per / MICRO / spec.count * each * MARGIN)
    for candidate in module.better(options, policy.carried, gap):
        if not bench.run(Way("better", candidate)).refused:
            found: dict[str, object] = candidate
            return found
    return None


def _snippet(module: ModuleType, strategy: str, options: Mapping[str, object] | None) -> str | None:
    if options is None:
        return None
    found = snippet_for(strategy, {"options": options, "workers": 1, "usernames": 1, "ips": 1})
    if found is None and hasattr(module, "snippet"):
        return str(module.snippet(options))
    return found


def _with_remedy(
    module: ModuleType,
    finding: Finding,
    given: Mapping[str, object],
    options: Mapping[str, object] | None,
) -> Finding:
    """The setting's own value in ``options``; for a limit of time, all that differs there from what
    was given.
    """
    if finding.instead or not options or finding.limit is None:
        return finding
    if kinds.KINDS[finding.limit].per_connection:
        names = [finding.setting] if finding.setting in options else list(options)
    else:
        names = [name for name in options if options[name] != given.get(name)]
    return replace(
        finding,
        instead=", ".join(
            module.written(name, options[name]) for name in names if name is not None
        ),
    )


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """What is refused first, then by line; what has none comes behind, as the limits were met."""
    return sorted(findings, key=lambda one: (not one.refused, one.line is None, one.line or 0))
