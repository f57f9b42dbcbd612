"""The settings of a sender in its library's own language, ready to paste: ``snippet_for``.

A template per library (``*.j2``) holds the text; a function here turns the options into the
template's values. Every snippet takes relay and login from the environment: ``RELAY_HOST`` and
``RELAY_PORT`` (without them MailerSend's relay, port 587), ``RELAY_USERNAME`` and
``RELAY_PASSWORD``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import units

if TYPE_CHECKING:
    from jinja2 import Environment

Options = Mapping[str, Any]
Values = dict[str, Any]

LOOPS = {"smtplib": "paced"}
"""Libraries that send one message per call, so that connections and spacing are the caller's own
loop: the strategy that loop follows. The library's snippet is that loop.
"""

NODEMAILER_WHY = {
    "maxMessages": "a connection ends behind so many",
    "maxConnections": "at a time",
    "rateLimit": "each connection sends one more than this",
    "rateDelta": "milliseconds",
    "idleTimeout": "milliseconds",
    "socketTimeout": "milliseconds",
}
NOT_NODEMAILERS = ("version", "concurrent", "pause")
"""Options of the model that describe the program around Nodemailer."""

OF_LISTMONKS_SMTP_BLOCK = (
    "max_conns",
    "max_msg_retries",
    "idle_timeout",
    "wait_timeout",
    "auth_protocol",
)


def snippet_for(name: str, settings: Mapping[str, Any]) -> str | None:
    """The text for settings (options, workers, usernames); None for a name without a snippet.

    Raises ValueError for impossible options.
    """
    known_name = LOOPS.get(name, name)
    if known_name not in _WRITERS:
        return None
    template, values = _WRITERS[known_name]
    return str(_templates().get_template(template).render(values(settings)))


def known() -> list[str]:
    """Every name that has a snippet."""
    return sorted({*_WRITERS, *LOOPS})


@cache
def _templates() -> Environment:
    # Imported here because most commands write no snippet, and Jinja2 would slow their start.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def _nodemailer(settings: Mapping[str, Any]) -> Values:
    from ..libraries.nodemailer import OLDER, Nodemailer

    chosen = {**Nodemailer.options, **settings["options"]}
    made = Nodemailer(**chosen)
    changed = [
        (name, _javascript(chosen[name]), NODEMAILER_WHY.get(name, ""))
        for name, default in Nodemailer.options.items()
        if chosen[name] != default and name not in NOT_NODEMAILERS
    ]
    pooled = made.pool is not None
    return {
        "version": chosen["version"],
        "starttls": not (chosen["ignoreTLS"] or chosen["requireTLS"]),
        "options": changed,
        "in_turn": not pooled or bool(made.most),
        "at_once": max(1, made.most),
        "pause_ms": round(made.pause * 1000),
        "never_closed": chosen["version"] == OLDER
        and made.pool is not None
        and bool(made.pool.rate_limit),
    }


def _javascript(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)


def _paced(settings: Mapping[str, Any]) -> Values:
    options = settings["options"]
    return {
        "endings": ["", *(f"_{number}" for number in range(2, settings["usernames"] + 1))],
        "workers": settings["workers"],
        "size": options["size"],
        "spacing": units.seconds(units.duration(options["spacing"])),
    }


def _phpmailer(settings: Mapping[str, Any]) -> Values:
    from ..libraries.phpmailer import PHPMailer

    chosen = PHPMailer(**{**PHPMailer.options, **settings["options"]})
    micros = round(chosen.pause * units.MICRO)
    return {
        "mechanism": chosen.mechanism,
        "keep_alive": chosen.keep_alive,
        "per_connection": chosen.per_connection,
        "pause_us": micros,
        "pause": units.spoken(micros),
    }


def _django(settings: Mapping[str, Any]) -> Values:
    from ..libraries.django import Django

    chosen = Django(**{**Django.options, **settings["options"]})
    return {
        "size": chosen.mass or chosen.per_connection,
        "silently": chosen.silently,
        "timeout": _seconds(chosen.timeout),
        "pause": _seconds(chosen.pause),
    }


def _aiosmtplib(settings: Mapping[str, Any]) -> Values:
    from ..libraries.aiosmtplib import AioSmtpLib

    chosen = AioSmtpLib(**{**AioSmtpLib.options, **settings["options"]})
    return {
        "size": chosen.per_connection,
        "gather": chosen.gather,
        "timeout": f"{chosen.timeout:g}",
        "pause": _seconds(chosen.pause),
    }


def _seconds(value: float | None) -> str:
    """Seconds as Python source; empty for none."""
    return f"{value:g}" if value else ""


def _jakarta_mail(settings: Mapping[str, Any]) -> Values:
    from ..libraries.jakarta_mail import OPTIONS, Jakarta

    options = settings["options"]
    given: dict[str, Any] = {**OPTIONS, **options}
    chosen = Jakarta(**given)
    starttls = "mail.smtp.starttls.enable"
    changed = [
        (name, _java(value))
        for name, value in options.items()
        if name.startswith("mail.") and name != starttls and value != OPTIONS[name]
    ]
    return {
        "starttls": _java(given[starttls]),
        "properties": changed,
        "size": chosen.per_connection,
        "pause_ms": round(chosen.pause * 1000),
    }


def _java(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listmonk(settings: Mapping[str, Any]) -> Values:
    from ..libraries.listmonk import Listmonk

    Listmonk(**settings["options"])
    chosen = {**Listmonk.options, **settings["options"]}
    block = {name: chosen[name] for name in OF_LISTMONKS_SMTP_BLOCK}
    changed = {f"app.{name}": value for name, value in chosen.items() if name not in block}
    return {
        "block": json.dumps({"enabled": True, "tls_type": "STARTTLS", **block}),
        "changed": json.dumps(changed),
    }


def _postfix(settings: Mapping[str, Any]) -> Values:
    from ..libraries.postfix import Postfix

    options = settings["options"]
    Postfix(**options)
    changed = [
        (name, _yes_or_no(value))
        for name, value in options.items()
        if value != Postfix.options[name]
    ]
    return {"options": changed, "keeps_tls": bool(options.get("smtp_tls_connection_reuse"))}


def _yes_or_no(value: object) -> object:
    return ("no", "yes")[value] if isinstance(value, bool) else value


def _symfony_mailer(settings: Mapping[str, Any]) -> Values:
    from ..libraries.symfony_mailer import SymfonyMailer

    chosen = {**SymfonyMailer.options, **settings["options"]}
    SymfonyMailer(**chosen)
    names = ("restart_threshold", "restart_threshold_sleep", "ping_threshold")
    changed = [
        f"{name}={chosen[name]}" for name in names if chosen[name] != SymfonyMailer.options[name]
    ]
    return {
        "query": "?" + "&".join(changed) if changed else "",
        "rate": f"{chosen['max_per_second']:g}" if chosen["max_per_second"] else "",
    }


def _wp_mail_smtp(settings: Mapping[str, Any]) -> Values:
    from ..libraries.wp_mail_smtp import WINDOWS, WordPress

    chosen = WordPress(**{**WordPress.options, **settings["options"]})
    if not chosen.rate_limit or not chosen.limits:
        return {"limits": ""}
    limits = [f"{chosen.limits[name]} a {name}" for name in WINDOWS if name in chosen.limits]
    return {"limits": ", ".join(limits)}


# One row per library: its template, and the function that gives the template its values.
_WRITERS: dict[str, tuple[str, Callable[[Mapping[str, Any]], Values]]] = {
    "aiosmtplib": ("aiosmtplib.py.j2", _aiosmtplib),
    "django": ("django.py.j2", _django),
    "jakarta-mail": ("jakarta-mail.java.j2", _jakarta_mail),
    "listmonk": ("listmonk.sh.j2", _listmonk),
    "nodemailer": ("nodemailer.js.j2", _nodemailer),
    "paced": ("paced.py.j2", _paced),
    "phpmailer": ("phpmailer.php.j2", _phpmailer),
    "postfix": ("postfix.sh.j2", _postfix),
    "symfony-mailer": ("symfony-mailer.php.j2", _symfony_mailer),
    "wp-mail-smtp": ("wp-mail-smtp.php.j2", _wp_mail_smtp),
}
