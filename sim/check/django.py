"""A Django settings file: :func:`translate` turns its EMAIL_ settings into options of the model for
each way in which a project may send, and finds mistakes that need no run.

The file does not show how the project sends. send_mail() decides, because most projects call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from ..errors import ScenarioError
from ..relay.kinds import KINDS
from ..text import cut
from .found import RELAYS_HOST, Case, Finding, Setting, Usage, stops
from .python_source import ELSEWHERE, Unknown, assigned, in_classes

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
"""The ratio of difflib from which a name counts as misspelt: EMAIL_TLS for EMAIL_USE_TLS does,
EMAIL_CONFIG does not.
"""


def read(text: str, place: str) -> dict[str, Setting]:
    """The EMAIL_ settings; ScenarioError if the file has none."""
    names = assigned(text, place)
    found = {name: each for name, each in names.items() if name.startswith("EMAIL_")}
    elsewhere = names.get(ELSEWHERE)
    if found:
        return found if elsewhere is None else {**found, ELSEWHERE: elsewhere}
    if classes := in_classes(text, "EMAIL_"):
        raise ScenarioError(
            place,
            "",
            "has its EMAIL_ settings in classes, of which one is chosen when it runs: "
            f"{', '.join(classes)}; "
            "write those of one of them to a file of its own, outside a class",
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
    """The options for the model, and the findings that need no run."""
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
    usages = (
        Usage("send_mail() for each message", common),
        Usage(
            "one connection held open, or send_messages() and send_mass_mail() of all",
            {**common, "per_connection": 0},
            decides=False,
        ),
    )
    return Case("django", usages, tuple(findings), lines, _network(settings))


def better(
    options: Mapping[str, object], transactions: int | None, gap: float
) -> list[dict[str, object]]:
    """Options that should pass: as many messages on a connection as the relay allows, and a pause
    after each connection.
    """
    return [{**options, "per_connection": transactions or 100, "pause": f"{gap:.3f}s"}]


def written(name: str, value: object) -> str:
    """An option in words: these are not settings but how the program sends."""
    words = {
        "per_connection": f"close the connection behind every {value} messages",
        "pause": f"sleep {value} behind each connection",
    }
    return words.get(name, f"{name} = {value}")


def cause_of(limit: str, usage: Usage, transactions: int | None) -> tuple[str, str]:
    """Why ``limit`` refused something, in words. No setting of the file is the cause, only how the
    program sends.
    """
    if KINDS[limit].per_connection or usage.options.get("per_connection") == 0:
        return "", "all messages share a connection"
    return "", "each message has a connection and a login of its own"


def _other_backend(backend: Setting, name: str) -> Finding:
    if name in FOR_NO_RELAY:
        return Finding(
            f"nothing of this is for a relay: {cut(name)} {FOR_NO_RELAY[name]}",
            "EMAIL_BACKEND",
            backend.line,
        )
    what = (
        f"EMAIL_BACKEND is {cut(name)}, which is not Django's own: "
        "how it sends is not known, and nothing of this is judged"
    )
    return Finding(what, "EMAIL_BACKEND", backend.line)


def _network(settings: Mapping[str, Setting]) -> dict[str, object]:
    """The TLS mode of the network, if the file determines it."""
    if _value(settings, "EMAIL_USE_SSL"):
        return {"tls": "implicit"}
    known = not _unknown(settings, "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    return {"tls": "none"} if known and not _value(settings, "EMAIL_USE_TLS") else {}


def _unread(settings: Mapping[str, Setting]) -> list[Finding]:
    """Findings about settings whose value is unknown or uncertain, and about misspelt ones."""
    found = []
    for name, each in settings.items():
        if name == ELSEWHERE:
            what = f"{each.value} may bring in further settings or replace these, and is not read"
            found.append(Finding(what, None, each.line))
        elif name in DECIDING and isinstance(each.value, Unknown):
            value = each.value.either
            what = f"is {value}" if value else "is not known without running the file"
            used = "as if it were not there"
            if name == "EMAIL_BACKEND":
                used = "as Django's own for SMTP"
            found.append(Finding(f"{name} {what}; it is judged {used}", name, each.line))
        elif name in DECIDING and each.outside:
            what = (
                f"{name} is looked up outside this file; "
                f"it is judged by its default, {cut(repr(each.value))}"
            )
            found.append(Finding(what, name, each.line))
        elif name not in KNOWN and (close := get_close_matches(name, KNOWN, n=1, cutoff=CLOSE)):
            what = f'{cut(name)} is no setting of Django\'s; did you mean "{close[0]}"?'
            found.append(Finding(what, name, each.line, "Django takes no notice of it."))
    return found


def _transport(settings: Mapping[str, Setting]) -> list[Finding]:
    """Findings about TLS, the port and the host."""
    found = _encryption(settings)
    relay = _value(settings, "EMAIL_HOST")
    if isinstance(relay, str) and relay != RELAYS_HOST:
        what = f"EMAIL_HOST is {cut(relay)}; it is judged as if it were this relay"
        found.append(Finding(what, "EMAIL_HOST", settings["EMAIL_HOST"].line))
    return found


def _encryption(settings: Mapping[str, Setting]) -> list[Finding]:
    """At most one finding about EMAIL_USE_TLS, EMAIL_USE_SSL and the port."""
    tls = _value(settings, "EMAIL_USE_TLS")
    ssl = _value(settings, "EMAIL_USE_SSL")
    port = _port(settings)
    line = {name: each.line for name, each in settings.items()}.get
    if tls and ssl:
        return [
            stops(
                "sends nothing: EMAIL_USE_TLS and EMAIL_USE_SSL are both on, "
                "and Django takes only one",
                "EMAIL_USE_SSL",
                line("EMAIL_USE_SSL"),
                instead="EMAIL_USE_SSL = False",
            )
        ]
    if ssl and port in (25, 587, 2525):
        return [
            stops(
                f"sends nothing: EMAIL_USE_SSL is on, and port {port} speaks plain SMTP first",
                "EMAIL_USE_SSL",
                line("EMAIL_USE_SSL"),
                instead="EMAIL_USE_TLS = True and EMAIL_USE_SSL = False",
            )
        ]
    if port == 465 and not ssl and not _unknown(settings, "EMAIL_USE_SSL"):
        return [
            stops(
                "sends nothing: port 465 begins with TLS, and EMAIL_USE_SSL is off",
                "EMAIL_PORT",
                line("EMAIL_PORT"),
                instead="EMAIL_PORT = 587 with EMAIL_USE_TLS = True",
            )
        ]
    if not tls and not ssl and not _unknown(settings, "EMAIL_USE_TLS", "EMAIL_USE_SSL"):
        return [
            Finding(
                "the login goes over the network in the clear, where the relay takes it at all",
                "EMAIL_USE_TLS",
                line("EMAIL_USE_TLS"),
                "Neither EMAIL_USE_TLS nor EMAIL_USE_SSL is on.",
                "EMAIL_USE_TLS = True",
            )
        ]
    return []


def _port(settings: Mapping[str, Setting]) -> object:
    port = _value(settings, "EMAIL_PORT")
    if isinstance(port, str) and port.isascii() and port.isdigit() and len(port) < 6:
        return int(port)
    return port


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
    """The value of a setting; None if it is missing or unknown."""
    found = settings.get(name)
    return None if found is None or isinstance(found.value, Unknown) else found.value


def _unknown(settings: Mapping[str, Setting], *names: str) -> bool:
    """Whether the value of one of them is unknown, or may be set elsewhere."""
    return any(
        isinstance(settings[name].value, Unknown) if name in settings else ELSEWHERE in settings
        for name in names
    )
