"""TLS over octets in memory, so that a connection decides when a flight of the handshake leaves.
Knows no sockets, no SMTP.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

READ = 65_536


def context_of(pair: Path) -> ssl.SSLContext:
    """A relay's context with the key and certificate in ``pair``, for TLS 1.2 and newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Not none: without a ticket nothing answers the end of a handshake, and a sender that does not
    # turn off Nagle's algorithm then waits 40 ms for a delayed acknowledgement before it says EHLO.
    context.num_tickets = 1
    context.load_cert_chain(pair)
    return context


class Tls:
    """One connection's TLS, the relay's side. ``up``: the handshake is done. ``ended``: nothing
    more comes.

    That is so once the peer has said that it ends, or what came is no TLS: then nothing more can be
    said either.
    """

    __slots__ = ("_failed", "_in", "_object", "_out", "ended", "up")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_side=True)
        self.up = self.ended = self._failed = False

    def feed(self, data: bytes) -> None:
        """Takes octets of the peer's, for ``shake`` and ``read``; none behind the end."""
        if not self.ended:
            self._in.write(data)

    def shake(self) -> bool:
        """Goes on with the handshake as far as the octets reach; whether it is done."""
        if self.ended:
            return False
        try:
            self._object.do_handshake()
            self.up = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.ended = self._failed = True
        return self.up

    def read(self) -> bytes:
        """The next of what was said, decrypted; empty while nothing is whole, and at the end.

        Piece by piece, so that the answer to one is encrypted before octets behind it that are no
        TLS end it all.
        """
        if self.ended or not self.up:
            return b""
        try:
            piece = self._object.read(READ)
            self.ended = not piece
            return piece
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError:
            self.ended = self._failed = True
        return b""

    def give(self, plain: bytes) -> bytes:
        """``plain`` encrypted, with whatever else must be written before it; nothing of it where
        nothing more can be said.
        """
        if not self._failed:
            self._object.write(plain)
        return self._out.read()

    def written(self) -> bytes:
        """What TLS itself has to write: the handshake, or an alert."""
        return self._out.read()

    def end(self) -> bytes:
        """The relay's word that it ends."""
        with suppress(ssl.SSLError):  # the peer's own has not come; nobody waits for it
            self._object.unwrap()
        return self._out.read()
