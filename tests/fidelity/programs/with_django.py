"""Sends messages 1..N with the real Django, as its model says the program does; run by itself, it
imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import sys
import time
from collections import Counter
from typing import Any

import django
from django.conf import settings
from django.core import mail

given = json.loads(sys.argv[1])
options: dict[str, Any] = {
    "per_connection": 1,
    "pause": 0,
    "send_mass_mail": 0,
    "fail_silently": False,
    "EMAIL_TIMEOUT": 0,
}
options |= given["options"]
PAUSE = float(str(options["pause"]).removesuffix("s"))
SILENTLY = options["fail_silently"]
TLS = os.environ["RELAY_TLS"]
if os.environ["RELAY_CA"]:
    os.environ["SSL_CERT_FILE"] = os.environ["RELAY_CA"]  # what ssl.create_default_context trusts
settings.configure(
    EMAIL_HOST=os.environ["RELAY_HOST"],
    EMAIL_PORT=int(os.environ["RELAY_PORT"]),
    EMAIL_HOST_USER=os.environ["RELAY_USERNAME"],
    EMAIL_HOST_PASSWORD=os.environ["RELAY_PASSWORD"],
    EMAIL_USE_TLS=TLS == "starttls",
    EMAIL_USE_SSL=TLS == "implicit",
    EMAIL_TIMEOUT=options["EMAIL_TIMEOUT"] or None,
)
FAILED = (smtplib.SMTPException, ssl.SSLError, OSError)
failed: list[str] = []
errors: Counter[str] = Counter()
SUBJECT = "a message of the simulation"
TEXT = "It is as short as it can be."
SENDER = "sender@example.com"


def lost(numbers: list[int], error: Exception) -> None:
    """Notes what was not sent, and why."""
    failed.extend(map(str, numbers))
    errors[f"{type(error).__name__}: {error}"] += len(numbers)


def alone(number: int) -> None:
    """send_mail()."""
    try:
        if not mail.send_mail(
            SUBJECT, TEXT, SENDER, [f"m{number}@example.com"], fail_silently=SILENTLY
        ):
            lost([number], Exception("0 sent"))
    except FAILED as error:
        lost([number], error)


def mass(numbers: list[int]) -> None:
    """send_mass_mail(), which does not tell which of them were sent."""
    try:
        sent = mail.send_mass_mail(
            [(SUBJECT, TEXT, SENDER, [f"m{each}@example.com"]) for each in numbers],
            fail_silently=SILENTLY,
        )
        if sent < len(numbers):
            errors[f"{sent} sent"] += 1
    except FAILED as error:
        errors[f"{type(error).__name__}: {error}"] += 1


def together(numbers: list[int]) -> None:
    """One connection that is held open."""
    begun = False
    try:
        with mail.get_connection(fail_silently=SILENTLY) as connection:
            begun = True
            for number in numbers:
                one = mail.EmailMessage(
                    SUBJECT, TEXT, SENDER, [f"m{number}@example.com"], connection=connection
                )
                try:
                    if not one.send(fail_silently=SILENTLY):
                        lost([number], Exception("0 sent"))
                except FAILED as error:
                    lost([number], error)
    except FAILED as error:
        if not begun:
            lost(numbers, error)


everything = list(range(1, given["messages"] + 1))
most = options["send_mass_mail"] or options["per_connection"] or len(everything)
for start in range(0, len(everything), most):
    batch = everything[start : start + most]
    if options["send_mass_mail"]:
        mass(batch)
    elif options["per_connection"] == 1:
        alone(*batch)
    else:
        together(batch)
    time.sleep(PAUSE)
print(json.dumps({"version": django.__version__, "failed": failed, "errors": errors}))
