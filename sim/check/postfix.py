"""A Postfix main.cf: which of its parameters decide what the relay sees, with postconf(5)'s
defaults where the file has none.

master.cf may lay its own -o values over these, and is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import ScenarioError
from ..relay.kinds import KINDS
from ..strategies import catalogue
from ..text import cut
from .found import Case, Finding, Setting, Way, stops
from .lines_of_main_cf import expanded, parameters

KIND = "postfix"

DEFAULTS = {
    name.strip(): value.strip()
    for name, _, value in (
        line.partition("=")
        for line in """\
smtp_connection_cache_on_demand = yes
smtp_connection_reuse_count_limit = 0
smtp_connection_reuse_time_limit = 300s
smtp_connection_cache_time_limit = 2s
smtp_tls_connection_reuse = no
default_destination_concurrency_limit = 20
smtp_destination_concurrency_limit = $default_destination_concurrency_limit
initial_destination_concurrency = 5
default_destination_rate_delay = 0s
smtp_destination_rate_delay = $default_destination_rate_delay
default_destination_concurrency_positive_feedback = 1
smtp_destination_concurrency_positive_feedback = $default_destination_concurrency_positive_feedback
default_destination_concurrency_negative_feedback = 1
smtp_destination_concurrency_negative_feedback = $default_destination_concurrency_negative_feedback
default_destination_concurrency_failed_cohort_limit = 1
smtp_destination_concurrency_failed_cohort_limit = $default_destination_concurrency_failed_cohort_limit
default_process_limit = 100
minimal_backoff_time = 300s
maximal_backoff_time = 4000s
queue_run_delay = 300s
maximal_queue_lifetime = 5d
relayhost =
default_transport = smtp
default_destination_recipient_limit = 50
smtp_destination_recipient_limit = $default_destination_recipient_limit
smtp_connection_cache_destinations =
smtp_sasl_auth_enable = no
smtp_use_tls = no
smtp_tls_security_level =
smtp_tls_wrappermode = no""".splitlines()
    )
}
"""Of version 3.7, whose defaults for these are those of 2.5 to 3.10."""

RELAYS_HOST = "smtp.mailersend.net"

TIME = re.compile(r"(\d+)\s*([smhdw]?)", re.ASCII)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
IN_DAYS = ("maximal_queue_lifetime",)
"""Times that are days where they are written without a unit; all others are seconds."""

MOST_SECONDS = 400 * 86_400

ROUTES = (
    "transport_maps",
    "sender_dependent_relayhost_maps",
    "sender_dependent_default_transport_maps",
)
"""Parameters that name tables which say for each mail where it goes."""

SERVICE = re.compile(
    r"^[\w./:\[\]-]+[ \t]+(unix|inet|fifo|pass|unix-dgram)[ \t]+[-yn]", re.MULTILINE | re.ASCII
)
"""A line of a master.cf."""

OTHERS = ("smtpd_", "lmtp_", "relay_", "local_", "virtual_", "error_", "retry_", "qmqp")
"""How parameters begin that are named like those read here and belong to another program."""

CLOSE = 0.94
"""Of difflib's ratio: a letter or two in a name as long as these."""


def read(text: str, place: str) -> dict[str, Setting]:
    """The parameters as they are written; ScenarioError if there is none."""
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
    """What the model is to do, and what can be told without it."""
    values = {name: expanded(name, settings, DEFAULTS) for name in DEFAULTS}
    lines = {name: each.line for name, each in settings.items()}
    lines |= {  # a default that refers to another parameter stands on that one's line
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
        (Way("with these parameters", options),),
        tuple(findings),
        lines,
        {"tls": _tls(values)},
    )


def better(
    options: Mapping[str, object], transactions: int | None, gap: float
) -> list[dict[str, object]]:
    """Options that ought to hold, the quickest first: N reuses are N + 1 messages on a connection."""
    reuse = {**options, "smtp_tls_connection_reuse": True, "smtp_connection_cache_on_demand": True}
    if transactions is not None:
        reuse["smtp_connection_reuse_count_limit"] = max(1, transactions - 1)
    if transactions == 1:
        reuse |= {"smtp_tls_connection_reuse": False, "smtp_connection_cache_on_demand": False}
    few = [{**reuse, "smtp_destination_concurrency_limit": most} for most in (2, 1)]
    return [*few, {**few[1], "smtp_destination_rate_delay": f"{max(1, round(gap + 0.5))}s"}]


def written(name: str, value: object) -> str:
    """As it stands in a main.cf."""
    return f"{name} = {('yes' if value else 'no') if isinstance(value, bool) else value}"


def said_for(limit: str, way: Way, transactions: int | None) -> tuple[str, str]:
    """Which parameter is to blame for a limit that was met, and its value in words."""
    if KINDS[limit].per_connection:
        _, setting, value, _ = most_messages(way, transactions or 0)
        return setting, value
    setting = "smtp_destination_concurrency_limit"
    return setting, f"{setting} is {way.options.get(setting, 20)}"


def most_messages(way: Way, allowed: int) -> tuple[int | None, str, str, str]:
    """Messages on one connection, None without end; the parameter that says so, its value in words,
    and what to write.
    """
    name = "smtp_connection_reuse_count_limit"
    instead = f"{name} = {max(1, allowed - 1)}"
    if not way.options.get("smtp_connection_cache_on_demand", True):
        return 1, "smtp_connection_cache_on_demand", "no connection is kept", instead
    count: Any = way.options.get(name, 0)
    if not count:
        return None, name, f"{name} is 0, which is no limit", instead
    return count + 1, name, f"{name} is {count}, so a connection carries {count + 1}", instead


def snippet(options: Mapping[str, object]) -> str:
    """Lines for main.cf."""
    return "\n".join(["# main.cf", *(written(name, value) for name, value in options.items()), ""])


def _options(
    values: Mapping[str, str], lines: Mapping[str, int], findings: list[Finding], place: str
) -> dict[str, object]:
    """What the model declares of the parameters, where the file says something else than the
    model's default.
    """
    found = catalogue.SHIPPED.get("postfix")
    declared: Mapping[str, object] = getattr(found, "options", {}) or {
        "smtp_connection_cache_on_demand": True,
        "smtp_connection_reuse_count_limit": 0,
        "smtp_destination_concurrency_limit": 20,
    }
    options: dict[str, object] = {}
    for name, default in declared.items():
        if name not in values or (name not in lines):
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
    return f"{min(MOST_SECONDS, int(found[1]) * SECONDS[found[2] or ('d' if name in IN_DAYS else 's')])}s"


def _commented(text: str) -> str:
    return "; a comment needs a line of its own" if "#" in text else ""


def _tls(values: Mapping[str, str]) -> str:
    if values["smtp_tls_wrappermode"].lower() == "yes":
        return "implicit"
    level = values["smtp_tls_security_level"].lower()
    return (
        "starttls"
        if level not in ("", "none") or (not level and values["smtp_use_tls"].lower() == "yes")
        else "none"
    )


def _transport(values: Mapping[str, str], lines: Mapping[str, int]) -> list[Finding]:
    relay = values["relayhost"]
    port = re.search(r":(\d+)\Z", values["relayhost"])
    found = []

    def told(made: Callable[..., Finding], what: str, name: str, instead: str = "") -> None:
        found.append(made(what, name, lines.get(name), instead=instead))

    if not relay:
        return []
    if not relay.startswith("["):
        host, colon, service = relay.partition(":")
        what = f"relayhost is {cut(relay)}: without [ ] around the name Postfix asks for its MX records first"
        told(Finding, what, "relayhost", f"relayhost = [{cut(host)}]{colon}{cut(service)}")
    if RELAYS_HOST not in relay:
        told(
            Finding,
            f"relayhost is {cut(relay)}; it is judged as if it were this relay",
            "relayhost",
        )
    if values["smtp_sasl_auth_enable"].lower() != "yes":
        what = "sends nothing: smtp_sasl_auth_enable is not yes, and the relay wants a login"
        told(stops, what, "smtp_sasl_auth_enable", "smtp_sasl_auth_enable = yes")
    if _tls(values) == "none":
        what = "the login goes over the network in the clear, where the relay takes it at all"
        told(Finding, what, "smtp_tls_security_level", "smtp_tls_security_level = encrypt")
    if port is not None and port[1] == "465" and _tls(values) != "implicit":
        what = "sends nothing: port 465 begins with TLS, and smtp_tls_wrappermode is not yes"
        told(stops, what, "relayhost", "smtp_tls_wrappermode = yes")
    return found


def _elsewhere(
    values: Mapping[str, str], lines: Mapping[str, int], routes: Sequence[str]
) -> list[Finding]:
    """What decides besides these parameters, and is not read."""
    found = []
    service, _, host = values["default_transport"].partition(":")
    if not values["relayhost"] and (routes or host):
        named = " and ".join([*routes, *(["default_transport"] if host else [])])
        what = f"relayhost is not set, and where mail goes is for {named} to say; it is judged as if all of it went to this relay"
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
        what = f"default_transport is {cut(service)}, whose own parameters and service are not read; it is judged as smtp"
        found.append(Finding(what, "default_transport", lines.get("default_transport")))
    limit = "smtp_destination_recipient_limit"
    if values[limit] == "1":
        what = f"{limit} is 1, so that the concurrency limits count by recipient; it is judged as if they counted by relay"
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
    """Names so close to one that is read here that they are a slip of the pen rather than another
    parameter.
    """
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
