"""The responses of PLAIN and LOGIN."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.smtp import credentials, replies


def test_plain_with_and_without_an_identity():
    assert credentials.plain(b"\0user1\0secret") == ("user1", "secret")
    assert credentials.plain(b"admin\0user1\0secret") == ("user1", "secret")
    assert credentials.plain("\0jürgen\0grün".encode()) == ("jürgen", "grün")
    assert credentials.plain(b"\0user1\0") == ("user1", "")


@pytest.mark.parametrize(
    "octets",
    [b"", b"\0", b"user1\0secret", b"\0user1\0secret\0", b"\0\xff\0secret", b"\0user1\0\xff"],
)
def test_plain_of_another_form(octets):
    assert credentials.plain(octets) is replies.BAD_CREDENTIALS_FORM


def test_an_equals_sign_is_an_empty_initial_response_and_nothing_else():
    assert credentials.initial(b"=") == b""
    assert credentials.response(b"=") is replies.BAD_BASE64
    assert credentials.response(b"") == b""


def test_an_asterisk_cancels_an_exchange_and_is_no_initial_response():
    assert credentials.response(b"*") is replies.AUTH_CANCELLED
    assert credentials.initial(b"*") is replies.BAD_BASE64


@pytest.mark.parametrize(
    "written",
    [
        b"!!!!",
        b"YQ",
        b"YQ=",
        b"YQ===",
        b"YQ==YQ==",
        b" YQ==",
        b"YQ== ",
        b"Y\nQ==",
        b"\xff",
        b"-_-_",
    ],
)
def test_broken_base64(written):
    assert credentials.response(written) is replies.BAD_BASE64


@given(st.binary())
def test_whatever_is_encoded_is_decoded(octets):
    assert credentials.response(b64encode(octets)) == octets
