"""Sends messages 1..N with the real smtplib, as its model says the program does; run by itself, it
imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import platform
import smtplib
import ssl
import sys
import time
from collections import Counter
from email.message import EmailMessage
from typing import Any

given = json.loads(sys.argv[1])
options: dict[str, Any] = {"per_connection": 0, "pause": 0, "catch": True, "timeout": 0} | given[
    "options"
]
PAUSE = float(str(options["pause"]).removesuffix("s"))
TLS = os.environ["RELAY_TLS"]
FAILED = (smtplib.SMTPException, OSError) if options["catch"] else ()
CONTEXT = ssl.create_default_context(cafile=os.environ["RELAY_CA"]) if TLS != "none" else None
failed: list[str] = []
errors: Counter[str] = Counter()


def message(number: int) -> EmailMessage:
    """The message of that number."""
    made = EmailMessage()
    made["From"], made["To"] = "sender@example.com", f"m{number}@example.com"
    made["Subject"], made["X-Relaysim-Id"] = "a message of the simulation", str(number)
    made.set_content("It is as short as it can be.\n")
    return made


def connected() -> smtplib.SMTP:
    """Not logged in yet."""
    where = (os.environ["RELAY_HOST"], int(os.environ["RELAY_PORT"]))
    more = {"timeout": options["timeout"]} if options["timeout"] else {}
    return (
        smtplib.SMTP_SSL(*where, context=CONTEXT, **more)
        if TLS == "implicit"
        else smtplib.SMTP(*where, **more)
    )


def lost(numbers: list[int], error: Exception) -> None:
    """Notes what was not sent, and why."""
    failed.extend(map(str, numbers))
    errors[f"{type(error).__name__}: {error}"] += len(numbers)


def batch(numbers: list[int]) -> None:
    """One connection."""
    done = 0
    try:
        with connected() as smtp:
            if TLS == "starttls":
                smtp.starttls(context=CONTEXT)
            smtp.login(os.environ["RELAY_USERNAME"], os.environ["RELAY_PASSWORD"])
            for number in numbers:
                done += 1
                try:
                    smtp.send_message(message(number))
                except FAILED as error:
                    lost([number], error)
    except FAILED as error:
        lost(numbers[done:], error)
    time.sleep(PAUSE)


everything = list(range(1, given["messages"] + 1))
most = options["per_connection"] or len(everything)
try:
    for start in range(0, len(everything), most):
        batch(everything[start : start + most])
except (smtplib.SMTPException, OSError) as error:  # only where nothing else catches it
    errors[f"{type(error).__name__}: {error}"] += 1
print(json.dumps({"version": platform.python_version(), "failed": failed, "errors": errors}))
