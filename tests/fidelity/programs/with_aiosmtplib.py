"""Sends messages 1..N with the real aiosmtplib, as its model says the program does; run by itself,
it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
from collections import Counter, deque
from email.message import EmailMessage
from typing import Any

import aiosmtplib

given = json.loads(sys.argv[1])
options: dict[str, Any] = {"per_connection": 1, "pause": 0, "gather": 1, "timeout": 60} | given[
    "options"
]
PAUSE = float(str(options["pause"]).removesuffix("s"))
TLS = os.environ["RELAY_TLS"]
SETTINGS = {
    "hostname": os.environ["RELAY_HOST"],
    "port": int(os.environ["RELAY_PORT"]),
    "username": os.environ["RELAY_USERNAME"],
    "password": os.environ["RELAY_PASSWORD"],
    "use_tls": TLS == "implicit",
    "start_tls": TLS == "starttls",
    "tls_context": ssl.create_default_context(cafile=os.environ["RELAY_CA"])
    if TLS != "none"
    else None,
    "timeout": options["timeout"],
}
FAILED = (aiosmtplib.SMTPException, OSError)
outbox = deque(range(1, given["messages"] + 1))
failed: list[str] = []
errors: Counter[str] = Counter()


def message(number: int) -> EmailMessage:
    """The message of that number."""
    made = EmailMessage()
    made["From"], made["To"] = "sender@example.com", f"m{number}@example.com"
    made["Subject"], made["X-Relaysim-Id"] = "a message of the simulation", str(number)
    made.set_content("It is as short as it can be.\n")
    return made


def lost(numbers: list[int], error: BaseException) -> None:
    """Notes what was not sent, and why."""
    failed.extend(map(str, numbers))
    errors[f"{type(error).__name__}: {error}"] += len(numbers)


async def alone(number: int) -> None:
    """One send()."""
    try:
        await aiosmtplib.send(message(number), **SETTINGS)
    except FAILED as error:
        lost([number], error)


async def together(most: int) -> None:
    """One client for at most so many; 0 for all."""
    begun = False
    try:
        async with aiosmtplib.SMTP(**SETTINGS) as smtp:
            begun = True
            left = most
            while outbox and (left or not most):
                left -= 1
                number = outbox.popleft()
                try:
                    await smtp.send_message(message(number))
                except FAILED as error:
                    lost([number], error)
    except FAILED as error:
        if not begun:
            lost([outbox.popleft() for _ in range(min(len(outbox), most or len(outbox)))], error)


async def task() -> None:
    """One of those that are gathered."""
    while outbox:
        if options["per_connection"] == 1:
            await alone(outbox.popleft())
        else:
            await together(options["per_connection"])
        await asyncio.sleep(PAUSE)


async def main() -> None:
    """All of them."""
    if options["gather"]:
        await asyncio.gather(*(task() for _ in range(options["gather"])))
    else:
        await asyncio.gather(*(alone(number) for number in outbox))


asyncio.run(main())
print(json.dumps({"version": aiosmtplib.__version__, "failed": failed, "errors": errors}))
