"""A Postfix main.cf: :func:`read` reads its parameters as postconf(5) describes, :func:`translate`
turns them into options of the model and finds mistakes that need no run.

master.cf can override any of them with -o, and is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import ScenarioError
from ..relay.kinds import KINDS
from ..strategies import catalogue
from ..text import cut
from .found import RELAYS_HOST, Case, Finding, Setting, Usage, stops

KIND = "postfix"

BY_DESTINATION = (
    "destination_concurrency_limit",
    "destination_rate_delay",
    "destination_concurrency_positive_feedback",
    "destination_concurrency_negative_feedback",
    "destination_concurrency_failed_cohort_limit",
    "destination_recipient_limit",
)
"""Parameters smtp_* whose default is the value of default_*."""

DEFAULTS = {
    "smtp_connection_cache_on_demand": "yes",
    "smtp_connection_reuse_count_limit": "0",
    "smtp_connection_reuse_time_limit": "300s",
    "smtp_connection_cache_time_limit": "2s",
    "smtp_tls_connection_reuse": "no",
    "default_destination_concurrency_limit": "20",
    "initial_destination_concurrency": "5",
    "default_destination_rate_delay": "0s",
    "default_destination_concurrency_positive_feedback": "1",
    "default_destination_concurrency_negative_feedback": "1",
    "default_destination_concurrency_failed_cohort_limit": "1",
    "default_process_limit": "100",
    "minimal_backoff_time": "300s",
    "maximal_backoff_time": "4000s",
    "queue_run_delay": "300s",
    "maximal_queue_lifetime": "5d",
    "relayhost": "",
    "default_transport": "smtp",
    "default_destination_recipient_limit": "50",
    "smtp_connection_cache_destinations": "",
    "smtp_sasl_auth_enable": "no",
    "smtp_use_tls": "no",
    "smtp_tls_security_level": "",
    "smtp_tls_wrappermode": "no",
    **{f"smtp_{name}": f"$default_{name}" for name in BY_DESTINATION},
}
"""The defaults of version 3.7. For these parameters they are the same from 2.5 to 3.10."""

NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
REFERENCE = re.compile(
    r"\$(?:\$|(?P<bare>\w+)|\{(?P<brace>[^{}$]*)\}|\((?P<paren>[^()$]*)\))",
    re.ASCII,
)
CONDITION = re.compile(r"\s*([\w.]*)\s*([?:]?)(.*)", re.DOTALL)
"""Inside a reference: a name, and a text for when its value is not empty (?) or empty (:)."""

DEEPEST = 20
"""The deepest level of references inside references; one that leads to itself ends there."""

LONGEST = 100_000
"""The most characters of a value: each level of references can double it."""

TIME = re.compile(r"(\d+)\s*([smhdw]?)", re.ASCII)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
IN_DAYS = ("maximal_queue_lifetime",)
"""Times without a unit that are in days; all others are in seconds."""

MOST_SECONDS = 400 * 86_400

ROUTES = (
    "transport_maps",
    "sender_dependent_relayhost_maps",
    "sender_dependent_default_transport_maps",
)
"""Parameters that name tables in which Postfix looks up the route of each message."""

SERVICE = re.compile(
    r"^[\w./:\[\]-]+[ \t]+(unix|inet|fifo|pass|unix-dgram)[ \t]+[-yn]", re.MULTILINE | re.ASCII
)
"""A line of a master.cf file."""

OTHERS = ("smtpd_", "lmtp_", "relay_", "local_", "virtual_", "error_", "retry_", "qmqp")
"""Prefixes of parameters that have similar names but belong to another program."""

CLOSE = 0.94
"""The ratio of difflib from which a name counts as misspelt: one or two letters in names this long.
"""


def read(text: str, place: str) -> dict[str, Setting]:
    """The parameters as written, with references. ScenarioError if the file has none."""
    if SERVICE.search(text):
        raise ScenarioError(
            place, "", "is a master.cf, whose services are not read; name the main.cf beside it"
        )
    found = parameters(text, place)
    if not found:
        raise ScenarioError(
            place,
            "",
            "has no parameter in it; allowed: lines such as relayhost = [smtp.example.com]:587",
        )
    return found


def translate(settings: Mapping[str, Setting], place: str) -> Case:
    """The options for the model, and the findings that need no run."""
    values = {name: expanded(name, settings, DEFAULTS) for name in DEFAULTS}
    lines = {name: each.line for name, each in settings.items()}
    lines |= {  # a default that refers to another parameter has that parameter's line
        name: lines[default[1:]]
        for name, default in DEFAULTS.items()
        if default[:1] == "$" and default[1:] in lines and name not in lines
    }
    routes = [name for name in ROUTES if name in settings and settings[name].value]
    findings = [
        *_misspelt(settings),
        *_transport(values, lines),
        *_elsewhere(values, lines, routes),
    ]
    if not values["relayhost"] and not routes and not values["default_transport"].partition(":")[2]:
        findings.append(
            Finding(
                "nothing of this goes through a relay: relayhost is not set",
                "relayhost",
                lines.get("relayhost"),
            )
        )
        return Case(None, (), tuple(findings), lines)
    options = _options(values, lines, findings, place)
    return Case(
        "postfix",
        (Usage("with these parameters", options),),
        tuple(findings),
        lines,
        {"tls": _tls(values)},
    )


def better(
    options: Mapping[str, object], transactions: int | None, gap: float
) -> list[dict[str, object]]:
    """Options that should pass, fastest first. N reuses are N + 1 messages on a connection."""
    reuse = {**options, "smtp_tls_connection_reuse": True, "smtp_connection_cache_on_demand": True}
    if transactions is not None:
        reuse["smtp_connection_reuse_count_limit"] = max(1, transactions - 1)
    if transactions == 1:
        reuse |= {"smtp_tls_connection_reuse": False, "smtp_connection_cache_on_demand": False}
    few = [{**reuse, "smtp_destination_concurrency_limit": most} for most in (2, 1)]
    return [*few, {**few[1], "smtp_destination_rate_delay": f"{max(1, round(gap + 0.5))}s"}]


def written(name: str, value: object) -> str:
    """A parameter as it is written in a main.cf."""
    if isinstance(value, bool):
        return f"{name} = {'yes' if value else 'no'}"
    return f"{name} = {value}"


def cause_of(limit: str, usage: Usage, transactions: int | None) -> tuple[str, str]:
    """The parameter because of which ``limit`` refused something, and its value in words."""
    if KINDS[limit].per_connection:
        _, setting, value, _ = most_messages(usage, transactions or 0)
        return setting, value
    setting = "smtp_destination_concurrency_limit"
    return setting, f"{setting} is {usage.options.get(setting, 20)}"


def most_messages(usage: Usage, allowed: int) -> tuple[int | None, str, str, str]:
    """The most messages on a connection, None if there is no limit; the parameter that sets it, its
    value in words, and what to write instead if ``allowed`` are.
    """
    name = "smtp_connection_reuse_count_limit"
    instead = f"{name} = {max(1, allowed - 1)}"
    if not usage.options.get("smtp_connection_cache_on_demand", True):
        return 1, "smtp_connection_cache_on_demand", "no connection is kept", instead
    count: Any = usage.options.get(name, 0)
    if not count:
        return None, name, f"{name} is 0, which is no limit", instead
    return count + 1, name, f"{name} is {count}, so a connection carries {count + 1}", instead


def snippet(options: Mapping[str, object]) -> str:
    """``options`` as lines of a main.cf."""
    return "\n".join(["# main.cf", *(written(name, value) for name, value in options.items()), ""])


def _options(
    values: Mapping[str, str], lines: Mapping[str, int], findings: list[Finding], place: str
) -> dict[str, object]:
    """The model's options of the file, without those that are equal to the model's defaults."""
    found = catalogue.SHIPPED.get("postfix")
    declared: Mapping[str, object] = getattr(found, "options", {}) or {
        "smtp_connection_cache_on_demand": True,
        "smtp_connection_reuse_count_limit": 0,
        "smtp_destination_concurrency_limit": 20,
    }
    options: dict[str, object] = {}
    for name, default in declared.items():
        if name not in values or name not in lines:
            continue
        value = _as(type(default), name, values[name], f"{place}:{lines[name]}")
        if value != default:
            options[name] = value
    return options


def _as(kind: type, name: str, text: str, place: str) -> object:
    if kind is bool:
        if text.lower() not in ("yes", "no"):
            raise ScenarioError(
                place, name, f'"{cut(text)}" is neither yes nor no{_commented(text)}'
            )
        return text.lower() == "yes"
    if kind is int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            raise ScenarioError(
                place,
                name,
                f'"{cut(text)}" is not a whole number of at most nine digits{_commented(text)}',
            )
        return int(text)
    return text if "feedback" in name else _time(name, text, place)


def _time(name: str, text: str, place: str) -> str:
    found = TIME.fullmatch(text)
    if found is None or len(found[1]) > 9:
        raise ScenarioError(
            place,
            name,
            f'"{cut(text)}" is not a time; write it like 10s, 5m, 1h or 5d{_commented(text)}',
        )
    unit = found[2] or ("d" if name in IN_DAYS else "s")
    return f"{min(MOST_SECONDS, int(found[1]) * SECONDS[unit])}s"


def _commented(text: str) -> str:
    return "; a comment needs a line of its own" if "#" in text else ""


def _tls(values: Mapping[str, str]) -> str:
    if values["smtp_tls_wrappermode"].lower() == "yes":
        return "implicit"
    level = values["smtp_tls_security_level"].lower()
    if not level:
        return "starttls" if values["smtp_use_tls"].lower() == "yes" else "none"
    return "none" if level == "none" else "starttls"


def _transport(values: Mapping[str, str], lines: Mapping[str, int]) -> list[Finding]:
    """Findings about the relay, the login and TLS."""
    relay = values["relayhost"]
    port = re.search(r":(\d+)\Z", relay)
    found = []

    def add(made: Callable[..., Finding], what: str, name: str, instead: str = "") -> None:
        found.append(made(what, name, lines.get(name), instead=instead))

    if not relay:
        return []
    if not relay.startswith("["):
        host, colon, service = relay.partition(":")
        what = (
            f"relayhost is {cut(relay)}: "
            "without [ ] around the name Postfix asks for its MX records first"
        )
        add(Finding, what, "relayhost", f"relayhost = [{cut(host)}]{colon}{cut(service)}")
    if RELAYS_HOST not in relay:
        add(
            Finding,
            f"relayhost is {cut(relay)}; it is judged as if it were this relay",
            "relayhost",
        )
    if values["smtp_sasl_auth_enable"].lower() != "yes":
        what = "sends nothing: smtp_sasl_auth_enable is not yes, and the relay wants a login"
        add(stops, what, "smtp_sasl_auth_enable", "smtp_sasl_auth_enable = yes")
    if _tls(values) == "none":
        what = "the login goes over the network in the clear, where the relay takes it at all"
        add(Finding, what, "smtp_tls_security_level", "smtp_tls_security_level = encrypt")
    if port is not None and port[1] == "465" and _tls(values) != "implicit":
        what = "sends nothing: port 465 begins with TLS, and smtp_tls_wrappermode is not yes"
        add(stops, what, "relayhost", "smtp_tls_wrappermode = yes")
    return found


def _elsewhere(
    values: Mapping[str, str], lines: Mapping[str, int], routes: Sequence[str]
) -> list[Finding]:
    """Findings about other files and parameters that matter too and are not read."""
    found = []
    service, _, host = values["default_transport"].partition(":")
    if not values["relayhost"] and (routes or host):
        named = " and ".join([*routes, *(["default_transport"] if host else [])])
        what = (
            f"relayhost is not set, and where mail goes is for {named} to say; "
            "it is judged as if all of it went to this relay"
        )
        found.append(Finding(what, "relayhost", lines.get((*routes, "default_transport")[0])))
    elif routes:
        found.append(
            Finding(
                f"{routes[0]} may send mail elsewhere, and is not read",
                routes[0],
                lines.get(routes[0]),
            )
        )
    if service not in ("", "smtp", "relay"):
        what = (
            f"default_transport is {cut(service)}, whose own parameters and service are not read; "
            "it is judged as smtp"
        )
        found.append(Finding(what, "default_transport", lines.get("default_transport")))
    limit = "smtp_destination_recipient_limit"
    if values[limit] == "1":
        what = (
            f"{limit} is 1, so that the concurrency limits count by recipient; "
            "it is judged as if they counted by relay"
        )
        found.append(Finding(what, limit, lines.get(limit)))
    kept = "smtp_connection_cache_destinations"
    if values[kept]:
        what = f"{kept} keeps connections in a way of its own; it is judged as if it were not there"
        found.append(Finding(what, kept, lines.get(kept)))
    if values["relayhost"] or routes or host:
        found.append(
            Finding("master.cf may overrule any of these for a service with -o, and is not read")
        )
    return found


def _misspelt(settings: Mapping[str, Setting]) -> list[Finding]:
    """A finding for each name that is probably a typing error of one that is read here."""
    found = []
    for name, each in settings.items():
        other = name in DEFAULTS or name.startswith(OTHERS)
        close = [] if other else get_close_matches(name, DEFAULTS, n=1, cutoff=CLOSE)
        if close:
            found.append(
                Finding(
                    f'{cut(name)} is not read here; did you mean "{close[0]}"?', name, each.line
                )
            )
    return found


def parameters(text: str, place: str) -> dict[str, Setting]:
    """Each parameter as written; if a name occurs twice, the last one. ScenarioError for the first
    line that is not a parameter.
    """
    found: dict[str, Setting] = {}
    for line, logical in _logical_lines(text):
        name, equals, value = logical.partition("=")
        name = name.strip()
        if not equals or not NAME.match(name):
            raise ScenarioError(
                f"{place}:{line}",
                "",
                f'"{cut(logical)}" is no parameter of a main.cf; '
                "write name = value, or # before a comment",
            )
        found[name] = Setting(value.strip(), line)
    return found


def expanded(name: str, found: Mapping[str, Setting], defaults: Mapping[str, str]) -> str:
    """The value of ``name``, or its default, with references replaced by their values."""

    def value_of(wanted: str) -> str:
        return str(found[wanted].value) if wanted in found else defaults.get(wanted, "")

    value = value_of(name)
    for _ in range(DEEPEST):
        fresh = REFERENCE.sub(lambda match: _replaced(match, value_of), value)[:LONGEST]
        if fresh == value:
            break
        value = fresh
    return value.strip()


def _replaced(match: re.Match[str], value_of: Callable[[str], str]) -> str:
    """The text for one reference, such as ``$name`` or ``${name?text}``."""
    inner = match["bare"] or match["brace"] or match["paren"]
    if inner is None:
        return "$" if match[0] == "$$" else ""
    condition = CONDITION.match(inner)
    assert condition is not None  # every part of the pattern may be empty
    name, mark, text = condition.groups()
    value = value_of(name)
    if mark == "?":
        return text.strip() if value else ""
    if mark == ":":
        return "" if value else text.strip()
    return value


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Each parameter's line number and text. A line that begins with white space continues the one
    before, also across comments and empty lines.
    """
    begun = 0
    parts = list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and parts:
            parts.append(line.strip())
            continue
        if parts:
            yield begun, " ".join(parts)
        begun = number
        parts = [line.strip()]
    if parts:
        yield begun, " ".join(parts)
