"""Messages on their way to a real relay: ``checked`` before anything is sent, ``on_the_wire`` as
bytes.
"""

from __future__ import annotations

import re

from ..errors import ScenarioError
from ..strategies.api import Message
from ..text import shown
from .account import ADDRESS

ID_HEADER = "X-Relaysim-Id"
"""The header that identifies a message on its way; added in front unless the message has it."""

_OWN_ID = re.compile(rb"(?im)^x-relaysim-id[ \t]*:")
_LINE_END = re.compile(rb"\r\n?|\n")


def checked(given: object, number: int) -> Message:
    """``given``, the ``number``-th of the workload, as a Message. ScenarioError if it cannot or
    must not be sent.
    """
    place = f"messages[{number - 1}]"
    if isinstance(given, tuple) and len(given) == 2:
        given = Message(str(number), *given)
    if not isinstance(given, Message):
        raise ScenarioError(
            "send", place, f"{shown(given)} is no message; give a Message or (recipient, data)"
        )
    if not isinstance(given.id, str) or not (
        given.id.isascii() and given.id.isprintable() and given.id.strip()
    ):
        raise ScenarioError(
            "send",
            f"{place}.id",
            f"{shown(given.id)} is no id; printable ASCII, since it becomes a header",
        )
    if not isinstance(given.recipient, str) or not ADDRESS.fullmatch(given.recipient):
        raise ScenarioError(
            "send",
            f"{place}.recipient",
            f"{shown(given.recipient)} is no address; write it alone, in ASCII",
        )
    if not isinstance(given.data, bytes):
        raise ScenarioError(
            "send",
            f"{place}.data",
            f"{shown(given.data)} is not bytes; give headers and body as bytes",
        )
    return given


def on_the_wire(message: Message) -> bytes:
    """The data with CRLF line ends and with the id among its headers. smtplib doubles the dots."""
    data = _LINE_END.sub(b"\r\n", message.data)
    headers = (b"\r\n" + data).partition(b"\r\n\r\n")[0]
    if _OWN_ID.search(headers):
        return data
    return f"{ID_HEADER}: {message.id}\r\n".encode() + data
