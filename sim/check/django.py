"""A Django settings file: what its EMAIL_ settings make of each way in which a project may send.

The file does not say how the project sends; send_mail() decides, since it is what most call. Knows
what Django refuses by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from ..errors import ScenarioError
from ..relay.kinds import KINDS
from ..text import cut
from .found import Case, Finding, Setting, Way, stops
from .lines_of_python import ELSEWHERE, Unknown, assigned, in_classes

KIND = "django"

SMTP = "django.core.mail.backends.smtp.EmailBackend"
FOR_NO_RELAY = {
    "django.core.mail.backends.console.EmailBackend": "prints its messages",
    "django.core.mail.backends.filebased.EmailBackend": "writes its messages into files",
    "django.core.mail.backends.locmem.EmailBackend": "keeps its messages in memory",
    "django.core.mail.backends.dummy.EmailBackend": "throws its messages away",
}
KNOWN = (
    "EMAIL_BACKEND",
    "EMAIL_HOST",
    "EMAIL_PORT",
    "EMAIL_HOST_USER",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_USE_TLS",
    "EMAIL_USE_SSL",
    "EMAIL_TIMEOUT",
    "EMAIL_SSL_KEYFILE",
    "EMAIL_SSL_CERTFILE",
    "EMAIL_SUBJECT_PREFIX",
    "EMAIL_USE_LOCALTIME",
    "EMAIL_FILE_PATH",
)

DECIDING = ("EMAIL_BACKEND", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL", "EMAIL_TIMEOUT")

CLOSE = 0.8
"""Of difflib's ratio: EMAIL_TLS is meant to be EMAIL_USE_TLS, EMAIL_CONFIG is something else."""

RELAYS_HOST = "smtp.mailersend.net"


def read(text: str, place: str) -> dict[str, Setting]:
    """The EMAIL_ settings; ScenarioError if the file has none."""
    names = assigned(text, place)
    found = {name: each for name, each in names.items() if name.startswith("EMAIL_")}
    elsewhere = names.get(ELSEWHERE)
    if found:
        return found if elsewhere is None else {**found, ELSEWHERE: elsewhere}
    if classes := in_classes(text, "EMAIL_"):
        problem = f"has its EMAIL_ settings in classes, of which one is chosen when it runs: {', '.join(classes)}"
        raise ScenarioError(
            place,
            "",
            f"{problem}; write those of one of them to a file of its own, outside a class",
        )
    if elsewhere is not None:
        problem = f"takes its settings from elsewhere ({elsewhere.value}), which is not read"
        raise ScenarioError(
            f"{place}:{elsewhere.line}",
            "",
            f"{problem}; name the file in which EMAIL_HOST and the like stand",
        )
    raise ScenarioError(
        place,
        "",
        "has no setting of Django's for e-mail; allowed: EMAIL_HOST, EMAIL_PORT and the like",
    )


def translate(settings: Mapping[str, Setting], place: str) -> Case:
    """What the model is to do, and what can be told without it."""
    lines = {name: each.line for name, each in settings.items()}
    backend = settings.get("EMAIL_BACKEND")
    if backend is not None and isinstance(backend.value, str) and backend.value != SMTP:
        return Case(None, (), (_other_backend(backend, backend.value),), lines)
    findings = [*_unread(settings), *_transport(settings), *_timeout(settings)]
    timeout = settings.get("EMAIL_TIMEOUT")
    seconds = timeout.value if timeout is not None else None
    common: dict[str, object] = {}
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < 1e6:
        common = {"EMAIL_TIMEOUT": float(seconds)}
    ways = (
        Way("send_mail() for each message", common),
        Way(
            "one connection held open, or send_messages() and send_mass_mail() of all",
            {**common, "per_connection": 0},
            decides=False,
        ),
    )
    return Case("django", ways, tuple(findings), lines, _network(settings))


def better(
    options: Mapping[str, object], transactions: int | None, gap: float
) -> list[dict[str, object]]:
    """Options that ought to hold: a connection for as many messages as it may carry, and a pause
    behind each.
    """
    return [{**options, "per_connection": transactions or 100, "pause": f"{gap:.3f}s"}]


def written(name: str, value: object) -> str:
    """As it is said in words: none of these is a setting, they are how the program sends."""
    said = {
        "per_connection": f"close the connection behind every {value} messages",
        "pause": f"sleep {value} behind each connection",
    }
    return said.get(name, f"{name} = {value}")


def said_for(limit: str, way: Way, transactions: int | None) -> tuple[str, str]:
    """Which setting is to blame for a limit that was met, and its value in words: none of the
    file's, it is how it sends.
    """
    if KINDS[limit].per_connection:
        return "", "all messages share a connection"
    shared = way.options.get("per_connection") == 0
    return (
        "",
        "all messages share a connection"
        if shared
        else "each message has a connection and a login of its own",
    )


def _other_backend(backend: Setting, name: str) -> Finding:
    if name in FOR_NO_RELAY:
        return Finding(
            f"nothing of this is for a relay: {cut(name)} {FOR_NO_RELAY[name]}",
            "EMAIL_BACKEND",
            backend.line,
        )
    what = f"EMAIL_BACKEND is {cut(name)}, which is not Django's own: how it sends is not known, and nothing of this is judged"
    return Finding(what, "EMAIL_BACKEND", backend.line)


def _network(settings: Mapping[str, Setting]) -> dict[str, object]:
    """How its connections begin, where the file says so."""
    ssl, tls = (_value(settings, name) for name in ("EMAIL_USE_SSL", "EMAIL_USE_TLS"))
    if ssl:
        return {"tls": "implicit"}
    known = not _unknown(settings, "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    return {"tls": "none"} if known and not tls else {}


def _unread(settings: Mapping[str, Setting]) -> list[Finding]:
    found = []
    for name, each in settings.items():
        if name == ELSEWHERE:
            what = f"{each.value} may bring in further settings or replace these, and is not read"
            found.append(Finding(what, None, each.line))
        elif name in DECIDING and isinstance(each.value, Unknown):
            what = (
                f"is {each.value.either}"
                if each.value.either
                else "is not known without running the file"
            )
            taken = (
                "as Django's own for SMTP" if name == "EMAIL_BACKEND" else "as if it were not there"
            )
            found.append(Finding(f"{name} {what}; it is judged {taken}", name, each.line))
        elif name in DECIDING and each.outside:
            what = f"{name} is looked up outside this file; it is judged by its default, {cut(repr(each.value))}"
            found.append(Finding(what, name, each.line))
        elif name not in KNOWN and (close := get_close_matches(name, KNOWN, n=1, cutoff=CLOSE)):
            what = f'{cut(name)} is no setting of Django\'s; did you mean "{close[0]}"?'
            found.append(Finding(what, name, each.line, "Django takes no notice of it."))
    return found


def _transport(settings: Mapping[str, Setting]) -> list[Finding]:
    found = []
    tls, ssl, port = (
        _value(settings, name) for name in ("EMAIL_USE_TLS", "EMAIL_USE_SSL", "EMAIL_PORT")
    )
    port = (
        int(port)
        if isinstance(port, str) and port.isascii() and port.isdigit() and len(port) < 6
        else port
    )
    line = {name: each.line for name, each in settings.items()}.get
    if tls and ssl:
        found.append(
            stops(
                "sends nothing: EMAIL_USE_TLS and EMAIL_USE_SSL are both on, and Django takes only one",
                "EMAIL_USE_SSL",
                line("EMAIL_USE_SSL"),
                instead="EMAIL_USE_SSL = False",
            )
        )
    elif ssl and port in (25, 587, 2525):
        found.append(
            stops(
                f"sends nothing: EMAIL_USE_SSL is on, and port {port} speaks plain SMTP first",
                "EMAIL_USE_SSL",
                line("EMAIL_USE_SSL"),
                instead="EMAIL_USE_TLS = True and EMAIL_USE_SSL = False",
            )
        )
    elif port == 465 and not ssl and not _unknown(settings, "EMAIL_USE_SSL"):
        found.append(
            stops(
                "sends nothing: port 465 begins with TLS, and EMAIL_USE_SSL is off",
                "EMAIL_PORT",
                line("EMAIL_PORT"),
                instead="EMAIL_PORT = 587 with EMAIL_USE_TLS = True",
            )
        )
    elif not tls and not ssl and not _unknown(settings, "EMAIL_USE_TLS", "EMAIL_USE_SSL"):
        found.append(
            Finding(
                "the login goes over the network in the clear, where the relay takes it at all",
                "EMAIL_USE_TLS",
                line("EMAIL_USE_TLS"),
                "Neither EMAIL_USE_TLS nor EMAIL_USE_SSL is on.",
                "EMAIL_USE_TLS = True",
            )
        )
    relay = _value(settings, "EMAIL_HOST")
    if isinstance(relay, str) and relay != RELAYS_HOST:
        found.append(
            Finding(
                f"EMAIL_HOST is {cut(relay)}; it is judged as if it were this relay",
                "EMAIL_HOST",
                settings["EMAIL_HOST"].line,
            )
        )
    return found


def _timeout(settings: Mapping[str, Setting]) -> list[Finding]:
    given = settings.get("EMAIL_TIMEOUT")
    if _unknown(settings, "EMAIL_TIMEOUT"):
        return []
    if given is None or given.value is None:
        return [
            Finding(
                "a relay that stops answering holds a worker for ever",
                "EMAIL_TIMEOUT",
                given.line if given else None,
                "EMAIL_TIMEOUT is None by default.",
                "EMAIL_TIMEOUT = 30",
            )
        ]
    value = given.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        return [
            stops(
                f"EMAIL_TIMEOUT is {cut(repr(value))}, which is no number of seconds above 0",
                "EMAIL_TIMEOUT",
                given.line,
                "Django hands it to the connection, which refuses it.",
                "EMAIL_TIMEOUT = 30",
            )
        ]
    return []


def _value(settings: Mapping[str, Setting], name: str) -> object:
    """What is known of it; None where nothing is."""
    found = settings.get(name)
    return None if found is None or isinstance(found.value, Unknown) else found.value


def _unknown(settings: Mapping[str, Setting], *names: str) -> bool:
    """Whether one of them is not known: not without running the file, or because it may stand
    elsewhere.
    """
    return any(
        isinstance(settings[name].value, Unknown) if name in settings else ELSEWHERE in settings
        for name in names
    )
