"""The rows that a run records, before anything is counted.

Times are integer microseconds of the relay's clock. A name or number that is not known is None.
"""

from __future__ import annotations

from typing import NamedTuple


class Opened(NamedTuple):
    """A connection that TCP accepted. ``refused`` is the limit that refused it instead of the
    greeting, or None.
    """

    at: int
    connection: int
    ip: str
    refused: str | None


class Login(NamedTuple):
    """One AUTH with complete credentials. ``outcome`` is ``accepted``, ``failed`` (535) or
    ``refused`` (a limit).
    """

    at: int
    connection: int
    ip: str
    username: str
    outcome: str


class Incident(NamedTuple):
    """A refusal caused by a limit. ``code`` is None where the relay dropped the connection without
    a reply.
    """

    at: int
    limit: str
    code: int | None
    text: str
    ip: str
    username: str | None
    connection: int
    message: str | None


class BlockRow(NamedTuple):
    """A block of a key during [from_, until). ``ip`` and ``username`` are None where they are not
    part of the key.
    """

    limit: str
    ip: str | None
    username: str | None
    from_: int
    until: int
