"""Nodemailer's options in JSON: what createTransport() makes of them, as JavaScript reads numbers
and truth.

Knows which option stands for what and what is known to go wrong; that a limit is met is for the
model to show.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import ScenarioError, nearest
from ..relay.kinds import KINDS
from ..strategies.libraries.nodemailer import Nodemailer
from ..text import cut
from .found import Case, Finding, Setting, Way, stops
from .nodemailer_file import read

__all__ = ["KIND", "KNOWN", "better", "read", "said_for", "translate", "written"]

KIND = "nodemailer"

KNOWN = {
    *Nodemailer.options,
    "host",
    "port",
    "secure",
    "auth",
    "tls",
    "opportunisticTLS",
    "name",
    "localAddress",
    "connectionTimeout",
    "greetingTimeout",
    "dnsTimeout",
    "socketCloseTimeout",
    "logger",
    "debug",
    "transactionLog",
    "disableFileAccess",
    "disableUrlAccess",
    "proxy",
    "service",
    "url",
    "lmtp",
    "customAuth",
    "forceAuth",
    "dkim",
    "newline",
    "normalizeHeaderKey",
    "from",
    "servername",
    "component",
    "allowInternalNetworkInterfaces",
    "maxResponseSize",
    "attachDataUrls",
    "secured",
    "type",
    "encoding",
    "textEncoding",
    "headers",
    "replyTo",
    "maxRecipients",
} - {"version", "concurrent", "pause"}
"""What Nodemailer takes for an SMTP transport, in its documentation and its source."""

POOLED = ("maxConnections", "maxMessages", "rateLimit", "rateDelta", "maxRequeues", "idleTimeout")

PUT_IN = re.compile(r"\$\{[^}]*\}|\{\{.*\}\}|<%.*%>|^\$\w+$|^%\w+%$|^process\.env\b", re.ASCII)
"""What other programs replace before Nodemailer sees it: ${NAME}, {{ name }}, <%= name %>, $NAME,
%NAME%.
"""

LARGE = 1_000_000_000

RELAYS_HOST = "smtp.mailersend.net"
SERVICE = "mailersend"


def translate(settings: Mapping[str, Setting], place: str) -> Case:
    """What the model is to do, and what can be told without it."""
    merged, findings = _known({**settings, **_of_url(settings, place)})
    options, taken = _options(merged)
    findings += [
        *_transport(merged),
        *_login(settings, merged),
        *taken,
        *_without_effect(merged, options),
    ]
    secure = merged.get("secure")
    network: dict[str, object] = (
        {"tls": "implicit"} if secure is not None and _truth(secure.value) else {}
    )
    ways = (
        Way("with these options", options),
        Way("with these options in version 6", {**options, "version": 6}, decides=False),
    )
    return Case(
        "nodemailer",
        ways,
        tuple(findings),
        {name: each.line for name, each in merged.items()},
        network,
    )


def better(
    options: Mapping[str, object], transactions: int | None, gap: float
) -> list[dict[str, object]]:
    """Options that ought to hold, the quickest first: ``gap`` seconds lie between logins,
    ``transactions`` on a connection.

    Each connection sends one message more than rateLimit says, so ``connections`` logins take
    ``connections`` times the gap.
    """
    kept = {
        name: value for name, value in options.items() if name not in (*POOLED, "pool", "version")
    }
    each = transactions or 100
    if each == 1:
        return [{**kept, "pause": f"{gap * factor:.3f}s"} for factor in (1, 2)]
    found: list[dict[str, object]] = []
    for connections in (4, 2, 1):
        delta = math.ceil(gap * connections * 1000 / 50) * 50
        found.append(
            {
                **kept,
                "pool": True,
                "maxConnections": connections,
                "maxMessages": each,
                "rateLimit": connections * (each - 1),
                "rateDelta": delta,
            }
        )
    return found


def written(name: str, value: object) -> str:
    """As it stands in an object of JavaScript's."""
    return f"{name}: {json.dumps(value)}"


def said_for(limit: str, way: Way, transactions: int | None) -> tuple[str, str]:
    """Which setting is to blame for a limit that was met, and its value in words."""
    options = {**Nodemailer.options, **way.options}
    if KINDS[limit].per_connection:
        most: Any = options["maxMessages"] or 100
        said = "maxMessages is no number" if most >= LARGE else f"maxMessages is {most}"
        return "maxMessages", said + ("" if "maxMessages" in way.options else " by default")
    if not options["pool"]:
        return "pool", "without pool each message has a connection and a login of its own"
    if options["rateLimit"]:
        return (
            "rateDelta",
            f"rateLimit is {options['rateLimit']} per {options['rateDelta']} ms, and each connection sends one more",
        )
    return (
        "maxConnections",
        f"{options['maxConnections'] or 5} connections at a time, and no rateLimit",
    )


def _of_url(settings: Mapping[str, Setting], place: str) -> dict[str, Setting]:
    """The options in ``url``, which come after the others as in the library."""
    given = settings.get("url")
    if given is None or not isinstance(given.value, str):
        return {}
    try:
        url = urlsplit(given.value)
        port = url.port
    except ValueError as error:
        raise ScenarioError(
            f"{place}:{given.line}",
            "url",
            f"is no URL: {error}; write smtp://user:passhost:587/?pool=true",
        ) from None
    found: dict[str, Any] = (
        {"secure": url.scheme == "smtps"} if url.scheme in ("smtp", "smtps") else {}
    )
    found |= {name: value for name, value in (("host", url.hostname), ("port", port)) if value}
    for key, value in parse_qsl(url.query):
        found[key] = {"true": True, "false": False}.get(
            value, _number(value) if _number(value) is not None else value
        )
    return {key: Setting(value, given.line) for key, value in found.items()}


def _known(settings: Mapping[str, Setting]) -> tuple[dict[str, Setting], list[Finding]]:
    """The settings without those whose value is only put in later, by something else; a finding for
    each of these.
    """
    merged = dict(settings)
    findings = []
    for name, each in settings.items():
        if isinstance(each.value, str) and PUT_IN.search(each.value):
            del merged[name]
            what = f"{cut(name)} is {_said(each.value)}, which something else puts a value in; it is judged as if it were not there"
            findings.append(Finding(what, name, each.line))
    return merged, findings


def _login(settings: Mapping[str, Setting], merged: Mapping[str, Setting]) -> list[Finding]:
    """What the login is taken to be."""
    auth = merged.get("auth")
    url = settings.get("url")
    if auth is None and not (url is not None and "@" in str(url.value)):
        why = "Without one this relay answers every MAIL with 530."
        return [
            Finding(
                "auth is not here; it is judged as if a login were put in elsewhere",
                "auth",
                why=why,
            )
        ]
    kind = auth.value.get("type") if auth is not None and isinstance(auth.value, dict) else None
    if auth is not None and isinstance(kind, str) and kind.lower() in ("oauth2", "custom"):
        return [
            Finding(
                f"auth.type is {_said(kind)}; it is judged as PLAIN",
                "auth",
                auth.line,
                "This relay is taken to offer PLAIN and LOGIN.",
            )
        ]
    return []


def _transport(merged: Mapping[str, Setting]) -> list[Finding]:
    """Where it connects to, and how."""
    found = []
    port = _plain(merged, "port")
    secure = merged.get("secure")
    if secure is not None and secure.value and port in (25, 587, 2525):
        found.append(
            stops(
                f"sends nothing: secure is true, and port {port} speaks plain SMTP first",
                "secure",
                secure.line,
                "secure: true begins with TLS, which only port 465 does.",
                "secure: false",
            )
        )
    if secure is not None and not secure.value and port == 465:
        found.append(
            stops(
                "sends nothing: secure is false, and port 465 begins with TLS",
                "secure",
                secure.line,
                "Both sides wait for the other.",
                "secure: true",
            )
        )
    host = merged.get("host")
    service = merged.get("service")
    if host is not None and service is None and host.value != RELAYS_HOST:
        found.append(
            Finding(
                f"host is {_said(host.value)}; it is judged as if it were this relay",
                "host",
                host.line,
            )
        )
    if service is not None and str(service.value).lower() != SERVICE:
        found.append(
            Finding(
                f"service is {_said(service.value)}; it is judged as if it were this relay",
                "service",
                service.line,
            )
        )
    for name, each in merged.items():
        if name not in KNOWN and (close := nearest(name, KNOWN)):
            found.append(
                Finding(
                    f"{cut(name)} is no option of Nodemailer's{close}",
                    name,
                    each.line,
                    "Nodemailer takes no notice of what it does not know.",
                )
            )
    return found


def _without_effect(merged: Mapping[str, Setting], options: Mapping[str, object]) -> list[Finding]:
    if options.get("pool"):
        return []
    return [
        Finding(f"{name} does nothing without pool", name, merged[name].line, instead="pool: true")
        for name in POOLED
        if name in merged and merged[name].value
    ]


def _options(merged: Mapping[str, Setting]) -> tuple[dict[str, object], list[Finding]]:
    """The model's options, and a finding for each value that is not taken for what it looks like."""
    options: dict[str, object] = {}
    findings: list[Finding] = []
    for name, default in Nodemailer.options.items():
        given = merged.get(name)
        if given is None or given.value is None or name in ("version", "concurrent", "pause"):
            continue
        if isinstance(default, bool):
            options[name] = _truth(given.value)
            if isinstance(given.value, str) and given.value.lower() in ("false", "no", "off", "0"):
                findings.append(
                    Finding(
                        f"{name} is on: {_said(given.value)} is a string, and that is true in JavaScript",
                        name,
                        given.line,
                        instead=f"{name}: false",
                    )
                )
        elif name == "authMethod":
            options |= _mechanism(given, findings)
        elif isinstance(value := _whole(name, given, findings), int):
            options[name] = value
    return options, findings


def _mechanism(given: Setting, findings: list[Finding]) -> dict[str, object]:
    said = str(given.value).strip().upper()
    if said in ("PLAIN", "LOGIN"):
        return {"authMethod": said}
    findings.append(
        Finding(
            f"authMethod is {_said(given.value)}; it is judged as PLAIN",
            "authMethod",
            given.line,
            "This relay is taken to offer PLAIN and LOGIN.",
        )
    )
    return {}


def _whole(name: str, given: Setting, findings: list[Finding]) -> int | None:
    """A number as the library compares with it; None where it takes its default."""
    number = _number(given.value)
    value = given.value
    if name in ("maxRequeues", "idleTimeout") and (
        isinstance(value, bool) or not isinstance(value, int | float)
    ):
        findings.append(
            Finding(
                f"{name} is {_said(value)}, which is no number; its default is taken",
                name,
                given.line,
            )
        )
        return None
    never = name == "maxConnections"
    told, sends = (
        (stops, "no connection is ever opened") if never else (Finding, "it is taken as 1")
    )
    default = f"{name}: {Nodemailer.options[name]}"
    if number is None:
        what = f"{name} is {_said(value)}, which is no number" + (f": {sends}" if never else "")
        findings.append(
            told(what, name, given.line, "A comparison with it is never true.", default)
        )
        return LARGE if name == "maxMessages" else None
    if number < 0 and name not in ("maxRequeues", "idleTimeout"):
        findings.append(
            told(f"{name} is {_said(value)}: {sends}", name, given.line, instead=default)
        )
        return 1
    return max(-LARGE, min(LARGE, math.ceil(number)))


def _number(value: object) -> float | None:
    """``Number(value)`` of JavaScript, None for NaN."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return float(LARGE) if value > 0 else -float(LARGE)
    if isinstance(value, str):
        try:
            number = float(value) if value.strip() else 0.0
        except ValueError:
            return None
        return None if math.isnan(number) else max(-float(LARGE), min(float(LARGE), number))
    return None


def _truth(value: object) -> bool:
    """Whether JavaScript takes it for true: an empty object is, an empty string is not."""
    return bool(value) if isinstance(value, str | int | float | bool) else value is not None


def _plain(merged: Mapping[str, Setting], name: str) -> int | None:
    given = merged.get(name)
    number = _number(given.value) if given is not None else None
    return int(number) if number is not None and abs(number) < LARGE else None


def _said(value: object) -> str:
    return cut(json.dumps(value, ensure_ascii=False))
