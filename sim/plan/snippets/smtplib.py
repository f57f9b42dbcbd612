"""smtplib's settings in Python: a connection for every so many messages, and a sleep behind each."""

from __future__ import annotations

from collections.abc import Mapping

from ...strategies.libraries.smtplib import SmtpLib
from ._loops import batches, indented, sleep

HEAD = """\
# smtplib. Relay and login come from the environment. `messages`: a list of email.message.EmailMessage.
import os
import smtplib
import ssl
import time

host, port = os.environ.get("RELAY_HOST", "smtp.mailersend.net"), int(os.environ.get("RELAY_PORT", "587"))

"""

BODY = """\
with smtplib.SMTP(host, port{timeout}) as smtp:
    smtp.starttls(context=ssl.create_default_context())
    smtp.login(os.environ["RELAY_USERNAME"], os.environ["RELAY_PASSWORD"])
    for message in {batch}:
        smtp.send_message(message)  # what it raises ends the program, so that nothing is lost unseen
"""


def snippet(options: Mapping[str, object]) -> str:
    """Python; ``messages`` is what it expects to find. ValueError for impossible options."""
    chosen = SmtpLib(**{**SmtpLib.options, **options})  # type: ignore[arg-type]
    loop, batch = batches(chosen.per_connection)
    body = BODY.format(
        timeout=f", timeout={chosen.timeout:g}" if chosen.timeout else "", batch=batch
    )
    return HEAD + loop + indented(body + sleep("time.sleep", chosen.pause), bool(loop))
