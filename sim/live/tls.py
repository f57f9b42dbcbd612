"""TLS of the live relay: its certificate for loopback, and the TLS of one connection over octets in
memory.

``kept_certificate`` creates the certificate once and keeps it in the user's cache. It covers only
localhost and loopback addresses, so trusting it gives nothing away to other machines. ``Tls`` works
on octets instead of a socket, so that a connection decides when a flight of the handshake leaves.
"""

from __future__ import annotations

import fcntl
import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=365)
SPARE = timedelta(days=7)
"""A certificate that expires sooner is replaced."""

NAMES = ("localhost", "relay.invalid")
ADDRESSES = ("127.0.0.1", "::1", *(f"127.0.0.{last}" for last in range(2, 17)))


class CertificateFiles(NamedTuple):
    """Two PEM files: ``pair`` has the key and the certificate, ``certificate`` only the
    certificate, for programs that trust it.
    """

    pair: Path
    certificate: Path


def cache_folder() -> Path:
    """The folder for files that relaysim can create again: in ``XDG_CACHE_HOME``, or in ``.cache``
    of the user's folder.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "relaysim"


@contextmanager
def kept_certificate() -> Iterator[CertificateFiles]:
    """The certificate in the user's cache; if that cannot be written, in a temporary folder."""
    try:
        found = _in_cache(cache_folder())
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        with tempfile.TemporaryDirectory(prefix="relaysim-") as folder:
            yield _made(Path(folder))
        return
    yield found


def _in_cache(folder: Path) -> CertificateFiles:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    pair = CertificateFiles(
        folder / "relay-key-and-certificate.pem", folder / "relay-certificate.pem"
    )
    with (folder / "lock").open("w") as lock:
        # Of two relays that start at the same time, one creates it and the other one finds it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return pair if _usable(pair) else _made(folder)


def _usable(pair: CertificateFiles) -> bool:
    try:
        both = pair.pair.read_bytes()
        public = pair.certificate.read_bytes()
        private = pair.pair.stat().st_mode & 0o077 == 0
        key = serialization.load_pem_private_key(both, None)
        certificate = x509.load_pem_x509_certificate(both)
        same = (
            certificate.public_key() == key.public_key()
            and x509.load_pem_x509_certificate(public) == certificate
        )
        return private and same and certificate.not_valid_after_utc > datetime.now(UTC) + SPARE
    except (OSError, ValueError, TypeError):
        return False


def _made(folder: Path) -> CertificateFiles:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair = CertificateFiles(
        folder / "relay-key-and-certificate.pem", folder / "relay-certificate.pem"
    )
    _write(pair.pair, private + certificate, 0o600)
    _write(pair.certificate, certificate, 0o644)
    return pair


def _write(path: Path, content: bytes, mode: int) -> None:
    """Writes the file as a whole or not at all; at no time can more users read it than ``mode``
    allows.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    new.replace(path)


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relaysim on loopback")])
    alternatives = [
        *map(x509.DNSName, NAMES),
        *(x509.IPAddress(ip_address(address)) for address in ADDRESSES),
    ]
    public = key.public_key()
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


READ = 65_536
"""Octets that are decrypted at once."""


def context_of(pair: Path) -> ssl.SSLContext:
    """The TLS context of a relay with the key and certificate in ``pair``: TLS 1.2 and newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # One ticket, not none: it acknowledges the end of the handshake. Without it, a sender that does
    # not turn off Nagle's algorithm waits 40 ms for a delayed acknowledgement before its EHLO.
    context.num_tickets = 1
    context.load_cert_chain(pair)
    return context


class Tls:
    """One connection's TLS, the relay's side. ``up``: the handshake is complete.

    ``ended``: no more input, because the peer closed TLS or sent octets that are not TLS. In the
    second case nothing more can be encrypted either.
    """

    __slots__ = ("_failed", "_in", "_object", "_out", "ended", "up")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_side=True)
        self.up = False
        self.ended = False
        self._failed = False

    def feed(self, data: bytes) -> None:
        """Takes octets of the peer, for ``shake`` and ``read``. Ignores them after the end."""
        if not self.ended:
            self._in.write(data)

    def shake(self) -> bool:
        """Continues the handshake with the octets so far. Returns whether it is complete."""
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
        """The next decrypted octets; empty while no record is complete, and at the end.

        Returns them piece by piece: if octets that are not TLS follow, the answer to a piece is
        encrypted before they end the connection.
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
        """``plain`` encrypted, after all that TLS itself has to write. Empty if TLS has failed."""
        if not self._failed:
            self._object.write(plain)
        return self._out.read()

    def written(self) -> bytes:
        """Octets that TLS itself has to write: the handshake, or an alert."""
        return self._out.read()

    def end(self) -> bytes:
        """The relay's closing alert."""
        with suppress(ssl.SSLError):  # the peer's alert has not arrived; it is not waited for
            self._object.unwrap()
        return self._out.read()
