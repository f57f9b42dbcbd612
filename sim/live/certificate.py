"""The relay's own certificate for loopback, made once by ``cryptography`` and kept with its key in
the user's cache.

It certifies localhost and loopback addresses alone, so that trusting it opens no door to anybody
else. Knows no connections.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
"""One that ends sooner is made anew."""

NAMES = ("localhost", "relay.invalid")
ADDRESSES = ("127.0.0.1", "::1", *(f"127.0.0.{last}" for last in range(2, 17)))


class Pair(NamedTuple):
    """Two PEM files: ``pair`` has the key and the certificate, ``certificate`` the latter alone,
    for those who shall trust it.
    """

    pair: Path
    certificate: Path


def cache_folder() -> Path:
    """Where relaysim keeps what can be made again: ``XDG_CACHE_HOME``, or ``.cache`` in the user's
    folder.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "relaysim"


@contextmanager
def kept() -> Iterator[Pair]:
    """The certificate in the user's cache; in a folder of its own that goes afterwards where that
    cannot be written.
    """
    try:
        found = _in_cache(cache_folder())
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        with tempfile.TemporaryDirectory(prefix="relaysim-") as folder:
            yield _made(Path(folder))
        return
    yield found


def _in_cache(folder: Path) -> Pair:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    pair = Pair(folder / "relay-key-and-certificate.pem", folder / "relay-certificate.pem")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(
            lock, fcntl.LOCK_EX
        )  # of two relays that start at once, one makes it and the other finds it
        return pair if _usable(pair) else _made(folder)


def _usable(pair: Pair) -> bool:
    try:
        both = pair.pair.read_bytes()
        alone = pair.certificate.read_bytes()
        private = pair.pair.stat().st_mode & 0o077 == 0
        key = serialization.load_pem_private_key(both, None)
        certificate = x509.load_pem_x509_certificate(both)
        same = (
            certificate.public_key() == key.public_key()
            and x509.load_pem_x509_certificate(alone) == certificate
        )
        return private and same and certificate.not_valid_after_utc > datetime.now(UTC) + SPARE
    except (OSError, ValueError, TypeError):
        return False


def _made(folder: Path) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair = Pair(folder / "relay-key-and-certificate.pem", folder / "relay-certificate.pem")
    _write(pair.pair, private + certificate, 0o600)
    _write(pair.certificate, certificate, 0o644)
    return pair


def _write(path: Path, content: bytes, mode: int) -> None:
    """As a whole or not at all, and never readable by more than ``mode`` says."""
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
