"""The peer of the live relay's benchmark: aiosmtpd that accepts everything, on the port given, with
a login where asked.

``python -m tests.benchmarks.aiosmtpd_peer PORT [login]``
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult


class Accepts:
    """Counts, as the relay does at least."""

    def __init__(self) -> None:
        self.accepted = 0

    async def handle_DATA(self, server, session, envelope) -> str:
        self.accepted += 1
        return "250 OK"


def right(server, session, envelope, mechanism, data) -> AuthResult:
    """Every login is right."""
    return AuthResult(success=True)


async def serve(port: int, *, login: bool) -> None:
    handler = Accepts()
    options: dict[str, Any] = (
        {"authenticator": right, "auth_required": True, "auth_require_tls": False} if login else {}
    )
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(handler, hostname="peer.invalid", loop=loop, **options),
        "127.0.0.1",
        port,
        backlog=4096,
    )
    async with listening:
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), login="login" in sys.argv[2:]))
