"""Checks a configuration file: :func:`check` finds out what kind it is, runs its settings through
the library's model, and adds what can be found by reading.

Each kind is a module (:data:`KINDS`) that reads its files, translates them into options of the
model, and names the setting that is to blame for a limit.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import units
from ..errors import ScenarioError
from ..measure.result import Finding as Met
from ..relay import Policy, kinds
from ..runner import run_here
from ..scenario import Scenario, build
from ..strategies import catalogue
from ..strategies.snippets import snippet_for
from ..units import MICRO
from . import django, nodemailer, postfix
from .found import Case, Checked, CheckRun, Finding, Usage

KINDS: dict[str, ModuleType] = {
    nodemailer.KIND: nodemailer,
    django.KIND: django,
    postfix.KIND: postfix,
}

MESSAGES = 1000
MOST_BYTES = 2_000_000

JAVASCRIPT = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")

SUFFIXES = {".json": "nodemailer", ".py": "django", ".cf": "postfix"}

LOOKS_LIKE_DJANGO = re.compile(r"^EMAIL_\w+\s*(:[^=\n]*)?=", re.MULTILINE | re.ASCII)
LOOKS_LIKE_POSTFIX = re.compile(
    r"^(relayhost|smtp_\w+|myhostname|default_destination_\w+)\s*=", re.MULTILINE | re.ASCII
)

WHAT = {
    "nodemailer": "JSON of Nodemailer's options",
    "django": "a Django settings file",
    "postfix": "a Postfix main.cf",
}

NEARBY = ("network.rtt=1ms", "network.jitter=0", "network.relay_time=0")
"""Overrides for a relay next to the sender, whose round trips slow nothing down."""

MARGIN = 1.04
"""Logins that are exactly ``per / count`` apart are at the edge of a window. This factor leaves
room for a timer that fires early.
"""


def check(
    file: Path,
    *,
    kind: str | None = None,
    messages: int = MESSAGES,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    command: Sequence[str] = (),
) -> Checked:
    """Checks a configuration file at a relay. ScenarioError for a file that cannot be read or is
    not of its kind, and for an invalid override.
    """
    text = _text(file)
    place = str(file)
    kind = kind or kind_of(file, text)
    module = KINDS[kind]
    case: Case = module.translate(module.read(text, place), place)
    bench = Bench(case, place, messages, overrides, seed, command)
    policy = bench.scenario(Usage("", {})).policy
    title = policy.title or policy.name
    if case.strategy is None:
        return Checked(place, kind, title, case.findings, ())
    if case.strategy not in catalogue.SHIPPED:
        return Checked(
            place,
            kind,
            title,
            _ordered([*case.findings, *_without_model(module, case, policy)]),
            (),
            unmodelled=f"this version has no model of {case.strategy} to run",
        )
    runs = tuple(bench.run(usage) for usage in case.usages)
    rtt = bench.scenario(case.usages[0]).network.rtt
    findings = [
        *case.findings,
        *_of_runs(module, case, runs, policy),
        *_nearby(bench, runs, rtt),
    ]
    if not any(one.refused for one in findings):
        return Checked(place, kind, title, _ordered(findings), runs, rtt=rtt)
    options = _better(module, case.usages[0].options, policy, bench)
    given = {**catalogue.shipped(case.strategy).options, **runs[0].usage.options}
    return Checked(
        place,
        kind,
        title,
        _ordered([_with_remedy(module, one, given, options) for one in findings]),
        runs,
        options,
        _snippet(module, case.strategy, options),
        rtt=rtt,
    )


def kind_of(file: Path, text: str) -> str:
    """The kind by the file's suffix, else by its text."""
    suffix = file.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in JAVASCRIPT or "createTransport(" in text:
        raise ScenarioError(
            str(file),
            "",
            "is JavaScript, which is not read; "
            "write the object that createTransport() takes into a file.json",
        )
    if text.lstrip().startswith("{"):
        return "nodemailer"
    if LOOKS_LIKE_DJANGO.search(text):
        return "django"
    if LOOKS_LIKE_POSTFIX.search(text):
        return "postfix"
    known = "; ".join(f"{kind}, {what}" for kind, what in WHAT.items())
    raise ScenarioError(
        str(file),
        "",
        f"cannot be told for any kind of configuration; say --kind with one of {known}",
    )


def _text(file: Path) -> str:
    place = str(file)
    try:
        if file.is_dir():
            raise ScenarioError(place, "", "is a folder; name the file")
        with file.open("rb") as opened:
            octets = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ScenarioError(place, "", f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the name
        raise ScenarioError(place, "", f"cannot be read: {error}") from None
    if len(octets) > MOST_BYTES:
        raise ScenarioError(
            place, "", f"is longer than {MOST_BYTES:,} bytes, which no configuration is"
        )
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(place, "", f"is not UTF-8 text (byte {error.start + 1:,})") from None


class Bench:
    """Runs each usage of a file as a scenario: a batch of ``messages``, with the ``overrides`` of
    the call.
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

    def scenario(self, usage: Usage, more: Sequence[str] = ()) -> Scenario:
        """The scenario of ``usage``. ScenarioError for an invalid override."""
        tables: dict[str, Any] = {
            "network": dict(self._network),
            "workload": {"kind": "batch", "messages": self._messages},
            "sender": {
                "strategy": self._strategy,
                "options": dict(usage.options) if self._known else {},
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
    def network_given(self) -> bool:
        """Whether the call sets how far away the relay is."""
        return any(each.startswith("network.") for each in self._overrides)

    def run(self, usage: Usage, more: Sequence[str] = ()) -> CheckRun:
        """Runs ``usage`` in virtual time, with ``more`` overrides."""
        scenario = self.scenario(usage, more)
        result = run_here(scenario).result
        complete = Usage(usage.title, dict(scenario.sender.options), usage.decides)
        return CheckRun(complete, result)


def _of_runs(
    module: ModuleType, case: Case, runs: Sequence[CheckRun], policy: Policy
) -> list[Finding]:
    """A finding for each limit that refused something, from the first run in which it did, and one
    for a run that lost messages without a refusal.
    """
    found: list[Finding] = []
    reported: set[str] = set()
    for run in runs:
        result = run.result
        usage = run.usage
        title = "" if usage.decides else f"{usage.title}: "
        for met in result.diagnosis:
            if met.limit is None or met.limit in reported:
                continue
            if result.incidents.by_limit.get(met.limit):
                reported.add(met.limit)
                found.append(_of_limit(module, case, usage, met, policy, title))
        if result.messages.lost and not result.incidents.total:
            what = f"{title}{result.messages.lost} of {result.messages.submitted} messages are lost"
            found.append(Finding(what, refused=usage.decides))
    return found


def _nearby(bench: Bench, runs: Sequence[CheckRun], rtt: int) -> Iterable[Finding]:
    """A note for each usage that passes only because its round trips take time."""
    if bench.network_given:
        return
    for run in runs:
        if not run.usage.decides or run.refused:
            continue
        met = bench.run(run.usage, NEARBY).result.diagnosis
        if met and met[0].limit is not None:
            first = met[0].what.partition(". ")[0]
            away = units.spoken(rtt)
            yield Finding(
                f"it holds by the {away} that each round trip is taken to last; over 1 ms, {first}",
                why=f"Say how far the relay is from your sender: --set network.rtt={away}.",
            )


def _of_limit(
    module: ModuleType, case: Case, usage: Usage, met: Met, policy: Policy, title: str
) -> Finding:
    count = policy.carried
    assert met.limit is not None
    setting, value = module.cause_of(met.limit, usage, count)
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
        refused=usage.decides,
        limit=met.limit,
    )


def _without_model(module: ModuleType, case: Case, policy: Policy) -> Iterable[Finding]:
    """Findings about the transaction limit from comparing numbers, without a run."""
    count = policy.carried
    if count is None:
        return
    for usage in case.usages:
        most, setting, value, instead = module.most_messages(usage, count)
        if most is None or most > count:
            what = f"fails at message {count + 1}: {value}, this relay allows {count}"
            yield Finding(
                what, setting, case.lines.get(setting), instead=instead, refused=usage.decides
            )


def _better(
    module: ModuleType, options: Mapping[str, object], policy: Policy, bench: Bench
) -> dict[str, object] | None:
    """The first options whose run is refused nowhere."""
    gap = 0.0
    for kind, spec in policy.rates():
        each = kind.requests(policy.carried or 1)
        gap = max(gap, spec.per / MICRO / spec.count * each * MARGIN)
    for candidate in module.better(options, policy.carried, gap):
        if not bench.run(Usage("better", candidate)).refused:
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
    """The finding with the values of ``options`` to write instead: the value of its own setting, or
    for a limit over time every value that differs from ``given``.
    """
    if finding.instead or not options or finding.limit is None:
        return finding
    if kinds.KINDS[finding.limit].per_connection:
        names = [finding.setting] if finding.setting in options else list(options)
    else:
        names = [name for name in options if options[name] != given.get(name)]
    values = (module.written(name, options[name]) for name in names if name is not None)
    return replace(finding, instead=", ".join(values))


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Refusals first, then by line; findings without a line last, in the order they came up."""
    return tuple(
        sorted(findings, key=lambda one: (not one.refused, one.line is None, one.line or 0))
    )
