"""The certificate: created once and kept, readable only by the user, replaced before it expires,
and accepted by strict checks.
"""

from __future__ import annotations

import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509

import sim.live
from sim.live import tls
from tests.live.peer import PATIENCE


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "relaysim"


def test_it_is_made_once_and_its_key_is_the_users_alone(folder):
    with tls.kept_certificate() as first, tls.kept_certificate() as second:
        assert first == second
    assert first.pair.parent == folder
    assert (first.pair.stat().st_mode & 0o777, first.certificate.stat().st_mode & 0o777) == (
        0o600,
        0o644,
    )
    before = first.pair.read_bytes()
    assert b"PRIVATE KEY" in before
    assert b"PRIVATE KEY" not in first.certificate.read_bytes()
    with tls.kept_certificate() as third:
        assert third.pair.read_bytes() == before


def test_of_many_that_start_at_once_one_makes_it(folder):
    def start(_):
        with tls.kept_certificate() as pair:
            return pair.pair.read_bytes(), pair.certificate.read_bytes()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(start, range(16)))) == 1


@pytest.mark.parametrize("damage", ["ends", "readable", "other", "nonsense", "gone"])
def test_one_that_cannot_be_used_is_made_anew(folder, damage, monkeypatch):
    if damage == "ends":
        monkeypatch.setattr(tls, "VALID", timedelta(days=3))
    with tls.kept_certificate() as pair:
        before = pair.pair.read_bytes()
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.parent))
    if damage == "readable":
        pair.pair.chmod(0o644)
    elif damage == "other":
        pair.certificate.write_bytes(tls._made(folder.parent).certificate.read_bytes())
    elif damage == "nonsense":
        pair.pair.write_bytes(b"nonsense")
        pair.pair.chmod(0o600)
    elif damage == "gone":
        pair.certificate.unlink()
    with tls.kept_certificate() as again:
        assert again.pair.read_bytes() != before
        assert again.pair.read_bytes().endswith(again.certificate.read_bytes())


def test_where_the_cache_cannot_be_written_it_is_made_for_this_time_alone(folder):
    folder.write_text("a file, where the folder should be")
    with tls.kept_certificate() as pair:
        assert pair.certificate.exists()
    assert not pair.pair.parent.exists()


def test_it_is_for_loopback_alone_and_certifies_nobody_else(folder):
    with tls.kept_certificate() as pair:
        made = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "relay.invalid"}
    assert all(address.is_loopback for address in names.get_values_for_type(x509.IPAddress))
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_both_versions_of_tls_and_strict_checks(folder, version, name):
    with sim.live.running(tls="implicit", network={"rtt": "2ms"}) as relay:
        context = ssl.create_default_context(cafile=str(relay.certificate))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.minimum_version = context.maximum_version = version
        with smtplib.SMTP_SSL(name, relay.port, context=context, timeout=PATIENCE) as client:
            assert isinstance(client.sock, ssl.SSLSocket)
            assert client.sock.version() == version.name.replace("_", ".")
            assert client.login("u", "p")[0] == 235
