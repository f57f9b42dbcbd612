"""Parses the responses of AUTH PLAIN (RFC 4616) and LOGIN: username and password, or the reply that
refuses the form.

Only the form is checked here, and an empty username or password has a valid form. PLAIN's
authorization identity is read and ignored.
"""

from __future__ import annotations

import binascii
from base64 import b64decode

from .replies import AUTH_CANCELLED, BAD_BASE64, BAD_CREDENTIALS_FORM, Reply

MECHANISMS = ("PLAIN", "LOGIN")
"""The mechanisms on offer."""


def initial(written: bytes) -> bytes | Reply:
    """The octets of an initial response; ``=`` is an empty one (RFC 4954 section 4)."""
    return b"" if written == b"=" else _decoded(written)


def response(written: bytes) -> bytes | Reply:
    """The octets of a line of the exchange; ``*`` cancels it (RFC 4954 section 4)."""
    return AUTH_CANCELLED if written == b"*" else _decoded(written)


def plain(octets: bytes) -> tuple[str, str] | Reply:
    """Username and password of ``[identity] NUL username NUL password``."""
    parts = octets.split(b"\0")
    if len(parts) != 3:
        return BAD_CREDENTIALS_FORM
    username = text(parts[1])
    password = text(parts[2])
    return BAD_CREDENTIALS_FORM if username is None or password is None else (username, password)


def text(octets: bytes) -> str | None:
    """``octets`` decoded as UTF-8, or None if they are not UTF-8."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _decoded(written: bytes) -> bytes | Reply:
    try:
        return b64decode(written, validate=True)
    except binascii.Error:
        return BAD_BASE64
