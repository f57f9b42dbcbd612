"""How many files the relay may have open, of which each connection is one. Knows nothing of
connections.

A shell's usual soft limit of 1,024 is there for programs that call select(); whoever does not may
raise it (systemd's advice, "Process Exec/Runtime Properties", LimitNOFILE).
"""

from __future__ import annotations

import asyncio
import errno
import resource
import sys
from collections.abc import Mapping
from typing import Any

WANTED = 16_384
ENOUGH = 2_500
"""For two thousand idle connections, and what else there is."""

OUT_OF = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


def raise_limit() -> str | None:
    """Raises the soft limit of this process; what to tell the person where it stays too low, else
    None.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        except (OSError, ValueError):  # the system allows less than it says
            pass
    if soft == resource.RLIM_INFINITY or soft >= ENOUGH:
        return None
    return (
        f"at most {soft:,} files may be open at once, each connection is one, and those beyond wait; "
        "ulimit -n in the shell, or the system's own limit, allows more"
    )


class Shortage:
    """An asyncio loop's exception handler that says in one line, once, that no more connections can
    be accepted.
    """

    def __init__(self) -> None:
        self._told = False

    def __call__(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """As asyncio calls it; anything else is told as asyncio does."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in OUT_OF:
            loop.default_exception_handler(dict(context))
        elif not self._told:
            self._told = True
            print(
                f"relaysim: no more connections for now: {error.strerror}; others wait",
                file=sys.stderr,
                flush=True,
            )
