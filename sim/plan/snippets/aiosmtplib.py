"""aiosmtplib's settings in Python: so many tasks at once, a client for every so many messages, and
a sleep behind each.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...strategies.libraries.aiosmtplib import AioSmtpLib

TEXT = """\
# aiosmtplib. Relay and login come from the environment. `messages`: a list of email.message.EmailMessage.
import asyncio
import os

import aiosmtplib

RELAY = {{
    "hostname": os.environ.get("RELAY_HOST", "smtp.mailersend.net"),
    "port": int(os.environ.get("RELAY_PORT", "587")),
    "username": os.environ["RELAY_USERNAME"],
    "password": os.environ["RELAY_PASSWORD"],
    "start_tls": True,
    "timeout": {timeout:g},
}}


async def task(outbox):
    while outbox:
        batch = [outbox.pop() for _ in range(min({batch}, len(outbox)))]
        async with aiosmtplib.SMTP(**RELAY) as client:
            for message in batch:
                await client.send_message(message)
{sleep}

async def send(messages):
    outbox = messages[::-1]
    await asyncio.gather(*(task(outbox) for _ in range({gather})))


asyncio.run(send(messages))
"""


def snippet(options: Mapping[str, object]) -> str:
    """Python; ``messages`` is what it expects to find. ValueError for impossible options."""
    chosen = AioSmtpLib(**{**AioSmtpLib.options, **options})  # type: ignore[arg-type]
    return TEXT.format(
        timeout=chosen.timeout,
        batch=chosen.per_connection or "len(outbox)",
        gather=chosen.gather or "len(messages)",
        sleep=f"        await asyncio.sleep({chosen.pause:g})\n" if chosen.pause else "",
    )
