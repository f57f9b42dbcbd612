"""The frozen rows that a run leaves behind, before anything is counted. Knows nothing of who writes
or reads them.

Times are integer microseconds of the relay's clock; a name or number that is not known is None.
"""

from __future__ import annotations

from typing import NamedTuple


class Opened(NamedTuple):
    """A connection that TCP accepted; ``refused`` names the limit that answered in place of the
    greeting, if one did.
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
    a word.
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
    """A block of a key: [from_, until). ``ip`` and ``username`` are None where the key does not
    have them.
    """

    limit: str
    ip: str | None
    username: str | None
    from_: int
    until: int
