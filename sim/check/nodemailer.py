"""Nodemailer's options in JSON: :func:`translate` turns them into options of the model, reading
numbers and truth values as JavaScript does, and finds mistakes that need no run.
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
from .found import RELAYS_HOST, Case, Finding, Setting, Usage, stops
from .json_source import read

__all__ = ["KIND", "KNOWN", "better", "cause_of", "read", "translate", "written"]

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
"""The options of an SMTP transport, from Nodemailer's documentation and source."""

POOLED = ("maxConnections", "maxMessages", "rateLimit", "rateDelta", "maxRequeues", "idleTimeout")

PUT_IN = re.compile(r"\$\{[^}]*\}|\{\{.*\}\}|<%.*%>|^\$\w+$|^%\w+%$|^process\.env\b", re.ASCII)
"""Placeholders that other programs replace before Nodemailer reads the file: ${NAME}, {{ name }},
<%= name %>, $NAME, %NAME%.
"""

LARGE = 1_000_000_000
"""Replaces larger numbers and values that are not a number: it is as good as no limit."""

SERVICE = "mailersend"


def translate(settings: Mapping[str, Setting], place: str) -> Case:
    """The options for the model, and the findings that need no run."""
    merged, findings = _known({**settings, **_of_url(settings, place)})
    options, taken = _options(merged)
    findings += [
        *_transport(merged),
        *_login(settings, merged),
        *taken,
        *_without_effect(merged, options),
    ]
    network: dict[str, object] = {}
    secure = merged.get("secure")
    if secure is not None and _truth(secure.value):
        network = {"tls": "implicit"}
    usages = (
        Usage("with these options", options),
        Usage("with these options in version 6", {**options, "version": 6}, decides=False),
    )
    lines = {name: each.line for name, each in merged.items()}
    return Case("nodemailer", usages, tuple(findings), lines, network)


def better(
    options: Mapping[str, object], transactions: int | None, gap: float
) -> list[dict[str, object]]:
    """Options that should pass, fastest first, for a relay that allows ``transactions`` on a
    connection and a login every ``gap`` seconds.

    Each connection sends one message more than rateLimit allows, so the spacing covers the logins
    of all ``connections``.
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
    """An option as it is written in a JavaScript object."""
    return f"{name}: {json.dumps(value)}"


def cause_of(limit: str, usage: Usage, transactions: int | None) -> tuple[str, str]:
    """The setting because of which ``limit`` refused something, and its value in words."""
    options = {**Nodemailer.options, **usage.options}
    if KINDS[limit].per_connection:
        most: Any = options["maxMessages"] or 100
        value = "maxMessages is no number" if most >= LARGE else f"maxMessages is {most}"
        return "maxMessages", value + ("" if "maxMessages" in usage.options else " by default")
    if not options["pool"]:
        return "pool", "without pool each message has a connection and a login of its own"
    if options["rateLimit"]:
        rate = f"rateLimit is {options['rateLimit']} per {options['rateDelta']} ms"
        return "rateDelta", f"{rate}, and each connection sends one more"
    return (
        "maxConnections",
        f"{options['maxConnections'] or 5} connections at a time, and no rateLimit",
    )


def _of_url(settings: Mapping[str, Setting], place: str) -> dict[str, Setting]:
    """The options in ``url``, which override the others, as in the library."""
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
    found: dict[str, Any] = {}
    if url.scheme in ("smtp", "smtps"):
        found["secure"] = url.scheme == "smtps"
    found |= {name: value for name, value in (("host", url.hostname), ("port", port)) if value}
    for key, text in parse_qsl(url.query):
        number = _number(text)
        value = text if number is None else number
        found[key] = {"true": True, "false": False}.get(text, value)
    return {key: Setting(value, given.line) for key, value in found.items()}


def _known(settings: Mapping[str, Setting]) -> tuple[dict[str, Setting], list[Finding]]:
    """The settings without those whose value is a placeholder, and a finding for each of these."""
    merged = dict(settings)
    findings = []
    for name, each in settings.items():
        if isinstance(each.value, str) and PUT_IN.search(each.value):
            del merged[name]
            what = (
                f"{cut(name)} is {_json(each.value)}, which something else puts a value in; "
                "it is judged as if it were not there"
            )
            findings.append(Finding(what, name, each.line))
    return merged, findings


def _login(settings: Mapping[str, Setting], merged: Mapping[str, Setting]) -> list[Finding]:
    """Findings about a missing login and about mechanisms that the model does not have."""
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
                f"auth.type is {_json(kind)}; it is judged as PLAIN",
                "auth",
                auth.line,
                "This relay is taken to offer PLAIN and LOGIN.",
            )
        ]
    return []


def _transport(merged: Mapping[str, Setting]) -> list[Finding]:
    """Findings about the port, TLS, the host and unknown options."""
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
                f"host is {_json(host.value)}; it is judged as if it were this relay",
                "host",
                host.line,
            )
        )
    if service is not None and str(service.value).lower() != SERVICE:
        found.append(
            Finding(
                f"service is {_json(service.value)}; it is judged as if it were this relay",
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
    """The model's options, and a finding for each value that is not used as it is written."""
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
                        f"{name} is on: {_json(given.value)} is a string, "
                        "and that is true in JavaScript",
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
    mechanism = str(given.value).strip().upper()
    if mechanism in ("PLAIN", "LOGIN"):
        return {"authMethod": mechanism}
    findings.append(
        Finding(
            f"authMethod is {_json(given.value)}; it is judged as PLAIN",
            "authMethod",
            given.line,
            "This relay is taken to offer PLAIN and LOGIN.",
        )
    )
    return {}


def _whole(name: str, given: Setting, findings: list[Finding]) -> int | None:
    """A number as the library uses it; None if it uses its default."""
    number = _number(given.value)
    value = given.value
    if name in ("maxRequeues", "idleTimeout") and (
        isinstance(value, bool) or not isinstance(value, int | float)
    ):
        findings.append(
            Finding(
                f"{name} is {_json(value)}, which is no number; its default is taken",
                name,
                given.line,
            )
        )
        return None
    never = name == "maxConnections"
    made = stops if never else Finding
    effect = "no connection is ever opened" if never else "it is taken as 1"
    default = f"{name}: {Nodemailer.options[name]}"
    if number is None:
        what = f"{name} is {_json(value)}, which is no number" + (f": {effect}" if never else "")
        findings.append(
            made(what, name, given.line, "A comparison with it is never true.", default)
        )
        return LARGE if name == "maxMessages" else None
    if number < 0 and name not in ("maxRequeues", "idleTimeout"):
        findings.append(
            made(f"{name} is {_json(value)}: {effect}", name, given.line, instead=default)
        )
        return 1
    return max(-LARGE, min(LARGE, math.ceil(number)))


def _number(value: object) -> float | None:
    """``Number(value)`` in JavaScript; None for NaN."""
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
    """Whether it is true in JavaScript: an empty object is, an empty string is not."""
    return bool(value) if isinstance(value, str | int | float | bool) else value is not None


def _plain(merged: Mapping[str, Setting], name: str) -> int | None:
    given = merged.get(name)
    number = _number(given.value) if given is not None else None
    return int(number) if number is not None and abs(number) < LARGE else None


def _json(value: object) -> str:
    return cut(json.dumps(value, ensure_ascii=False))
