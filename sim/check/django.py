"""A Django settings file: what its EMAIL_ settings make of each way in which a project may send.

The file does not say how the project sends; send_mail() decides, since it is what most call. Knows what Django refuses by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ScenarioError, nearest
from .found import Case, Finding, Setting, Way, stops
from .lines_of_python import UNKNOWN, assigned

KIND = "django"

SMTP = "django.core.mail.backends.smtp.EmailBackend"
ELSEWHERE = {
    "django.core.mail.backends.console.EmailBackend": "prints its messages",
    "django.core.mail.backends.filebased.EmailBackend": "writes its messages into files",
    "django.core.mail.backends.locmem.EmailBackend": "keeps its messages in memory",
    "django.core.mail.backends.dummy.EmailBackend": "throws its messages away",
}
KNOWN = (
    "EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS", "EMAIL_USE_SSL",
    "EMAIL_TIMEOUT", "EMAIL_SSL_KEYFILE", "EMAIL_SSL_CERTFILE", "EMAIL_SUBJECT_PREFIX", "EMAIL_USE_LOCALTIME", "EMAIL_FILE_PATH",
)  # fmt: skip

RELAYS_HOST = "smtp.mailersend.net"


def read(text: str, place: str) -> dict[str, Setting]:
    """The EMAIL_ settings; ScenarioError if the file has none."""
    found = {name: each for name, each in assigned(text, place).items() if name.startswith("EMAIL_")}
    if not found:
        raise ScenarioError(place, "", "has no setting of Django's for e-mail; allowed: EMAIL_HOST, EMAIL_PORT and the like")
    return found


def translate(settings: Mapping[str, Setting], place: str) -> Case:
    """What the model is to do, and what can be told without it."""
    lines = {name: each.line for name, each in settings.items()}
    backend = settings.get("EMAIL_BACKEND")
    if backend is not None and isinstance(backend.value, str) and backend.value != SMTP:
        does = ELSEWHERE.get(backend.value, "is not Django's own for SMTP")
        what = f"nothing of this is for a relay: {_short(backend.value)} {does}"
        return Case(None, (), (Finding(what, "EMAIL_BACKEND", backend.line),), lines)
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
    return Case("django", ways, tuple(findings), lines)


def better(options: Mapping[str, object], transactions: int | None, gap: float) -> list[dict[str, object]]:
    """Options that ought to hold: a connection for as many messages as it may carry, and a pause behind each."""
    return [{**options, "per_connection": transactions or 100, "pause": f"{gap:.3f}s"}]


def written(name: str, value: object) -> str:
    """As it is said in words: none of these is a setting, they are how the program sends."""
    said = {
        "per_connection": f"close the connection behind every {value} messages",
        "pause": f"sleep {value} behind each connection",
    }
    return said.get(name, f"{name} = {value}")


def said_for(limit: str, way: Way, transactions: int | None) -> tuple[str, str]:
    """Which setting is to blame for a limit that was met, and its value in words: none of the file's, it is how it sends."""
    if limit == "transactions_per_connection":
        return "", "all messages share a connection"
    shared = way.options.get("per_connection") == 0
    return "", "all messages share a connection" if shared else "each message has a connection and a login of its own"


def _unread(settings: Mapping[str, Setting]) -> list[Finding]:
    found = []
    for name, each in settings.items():
        if name not in KNOWN and (close := nearest(name, KNOWN)):
            found.append(Finding(f"{name} is no setting of Django's{close}", name, each.line, "Django takes no notice of it."))
        elif each.value is UNKNOWN and name in (
            "EMAIL_BACKEND",
            "EMAIL_PORT",
            "EMAIL_USE_TLS",
            "EMAIL_USE_SSL",
            "EMAIL_TIMEOUT",
        ):
            found.append(Finding(f"{name} is not known without running the file; it is judged as if it were not there",
                                 name, each.line))  # fmt: skip
    return found


def _transport(settings: Mapping[str, Setting]) -> list[Finding]:
    def value(name: str) -> object:
        found = settings[name].value if name in settings else None
        return None if found is UNKNOWN else found

    found = []
    tls, ssl, port = value("EMAIL_USE_TLS"), value("EMAIL_USE_SSL"), value("EMAIL_PORT")
    if tls and ssl:
        found.append(stops("sends nothing: EMAIL_USE_TLS and EMAIL_USE_SSL are both on, and Django takes only one",
                             "EMAIL_USE_SSL", settings["EMAIL_USE_SSL"].line, instead="EMAIL_USE_SSL = False"))  # fmt: skip
    elif ssl and port in (25, 587, 2525):
        found.append(stops(f"sends nothing: EMAIL_USE_SSL is on, and port {port} speaks plain SMTP first", "EMAIL_USE_SSL",
                             settings["EMAIL_USE_SSL"].line, instead="EMAIL_USE_TLS = True and EMAIL_USE_SSL = False"))  # fmt: skip
    elif not ssl and port == 465:
        found.append(stops("sends nothing: port 465 begins with TLS, and EMAIL_USE_SSL is off", "EMAIL_PORT",
                             settings["EMAIL_PORT"].line, instead="EMAIL_PORT = 587 with EMAIL_USE_TLS = True"))  # fmt: skip
    elif not tls and not ssl and not _unknown(settings, "EMAIL_USE_TLS", "EMAIL_USE_SSL"):
        line = settings["EMAIL_USE_TLS"].line if "EMAIL_USE_TLS" in settings else None
        found.append(Finding("the login goes over the network in the clear, where the relay takes it at all", "EMAIL_USE_TLS",
                             line, "Neither EMAIL_USE_TLS nor EMAIL_USE_SSL is on.", "EMAIL_USE_TLS = True"))  # fmt: skip
    relay = value("EMAIL_HOST")
    if isinstance(relay, str) and relay != RELAYS_HOST:
        found.append(Finding(f"EMAIL_HOST is {_short(relay)}; it is judged as if it were this relay", "EMAIL_HOST",
                             settings["EMAIL_HOST"].line))  # fmt: skip
    return found


def _timeout(settings: Mapping[str, Setting]) -> list[Finding]:
    given = settings.get("EMAIL_TIMEOUT")
    if given is not None and given.value is UNKNOWN:
        return []
    if given is None or given.value is None:
        return [Finding("a relay that stops answering holds a worker for ever", "EMAIL_TIMEOUT", given.line if given else None,
                        "EMAIL_TIMEOUT is None by default.", "EMAIL_TIMEOUT = 30")]  # fmt: skip
    value = given.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        return [stops(f"EMAIL_TIMEOUT is {_short(repr(value))}, which is no number of seconds above 0", "EMAIL_TIMEOUT", given.line,
                        "Django hands it to the connection, which refuses it.", "EMAIL_TIMEOUT = 30")]  # fmt: skip
    return []


def _unknown(settings: Mapping[str, Setting], *names: str) -> bool:
    return any(name in settings and settings[name].value is UNKNOWN for name in names)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
