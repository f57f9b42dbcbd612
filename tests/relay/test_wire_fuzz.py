"""The byte door against octets that nobody would write down: it never raises, and no cut makes a
difference.
"""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.smtp.lines import END
from tests.relay.wire_talk import EHLO, LOGGED_IN, MESSAGE, OPEN, PLAIN, answers, held

PIECES = [
    EHLO,
    PLAIN,
    MESSAGE,
    OPEN,
    LOGGED_IN,
    b"HELO me\r\n",
    b"STARTTLS\r\n",
    b"AUTH LOGIN\r\n",
    b"AUTH PLAIN\r\n",
    b"*\r\n",
    b64encode(b"user1") + b"\r\n",
    b64encode(b"\0user1\0secret") + b"\r\n",
    b"=\r\n",
    b"MAIL FROM:<a@b> SIZE=99999999999\r\n",
    b"MAIL FROM:<>\r\n",
    b"RCPT TO:<a@b>\r\n",
    b"DATA\r\n",
    b".\r\n",
    b"..\r\n",
    END,
    b"\r\n",
    b"\r",
    b"\n",
    b"\n.\n",
    b"\0",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"VRFY x\r\n",
    b"HELP\r\n",
    b"QUIT\r\n",
    b"x" * 600,
    b"AUTH ",
    b"MAIL ",
    b"\xff",
    b"Message-ID: <1@a>\r\n",
]
CUTS = st.lists(st.integers(1, 400), max_size=12)


@st.composite
def conversations(draw):
    """Commands in any order, most of which make sense, with a few octets changed, lost or added."""
    beginning = draw(
        st.sampled_from([b"", EHLO, LOGGED_IN, LOGGED_IN + OPEN, EHLO + b"AUTH LOGIN\r\n"])
    )
    data = bytearray(
        beginning
        + b"".join(draw(st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=14)))
    )
    for at in draw(st.lists(st.integers(0, max(0, len(data) - 1)), max_size=3)):
        data[at : at + 1] = draw(
            st.sampled_from([b"", b"\r", b"\n", b"\0", b".", b"\r\n", b"\x80", b" ", b"<"])
        )
    return bytes(data)


def pieces(data, cuts):
    """``data`` in pieces of the lengths ``cuts``, again and again; whole without any."""
    found = []
    at = 0
    turn = 0
    while at < len(data):
        length = cuts[turn % len(cuts)] if cuts else len(data)
        found.append(data[at : at + length])
        at = at + length
        turn = turn + 1
    return found


def check(data, cuts, **options):
    written, wire, seen = held([data], **options)
    again, other, saw = held(pieces(data, cuts), **options)
    assert (again, other.closed, other.dropped, other.starttls) == (
        written,
        wire.closed,
        wire.dropped,
        wire.starttls,
    )
    assert vars(saw) == vars(seen)
    codes = [answer.code for answer in answers(written)]
    begun = codes.count(354)
    ended = data.count(END) + data.count(
        b".\r\n.\r\n"
    )  # the second may share its CRLF with the first
    assert len(seen.acceptances) <= min(begun, ended, 5)
    assert len(seen.logins) >= codes.count(235) + codes.count(535)
    assert len(codes) <= data.count(b"\r\n")  # nothing but a whole line or body is answered


@given(st.binary(max_size=200), CUTS)
def test_any_octets(data, cuts):
    check(data, cuts)


@given(conversations(), CUTS)
@settings(max_examples=300)
def test_conversations_with_mistakes(data, cuts):
    check(data, cuts)


@given(
    conversations(),
    CUTS,
    st.sampled_from(["rcpt", "data", "body"]),
    st.sampled_from(["close", "drop", "stay"]),
)
def test_conversations_under_other_policies(data, cuts, stage, then):
    limit = {"count": 2, "reply": {"stage": stage, "then": then}}
    written, wire, seen = held(
        [data], policy={"transactions_per_connection": limit}, login_required=False
    )
    again, _, saw = held(
        pieces(data, cuts), policy={"transactions_per_connection": limit}, login_required=False
    )
    assert again == written
    assert vars(saw) == vars(seen)
    answers(written)
    assert wire.dropped == (then == "drop" and bool(seen.incidents))
