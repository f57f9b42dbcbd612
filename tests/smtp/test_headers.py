"""The name of a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.smtp.headers import LONGEST, message_name


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"Message-ID: <1@a>\r\n\r\nHello\r\n", "<1@a>"),
        (b"message-id:<1@a>\r\n\r\n", "<1@a>"),
        (b"Subject: x\r\nMESSAGE-ID:\t<1@a> \r\nTo: b\r\n\r\n", "<1@a>"),
        (b"Message-ID: <1@a>\r\nX-Relaysim-Id: m17\r\n\r\n", "m17"),
        (b"x-relaysim-id: m17\r\nMessage-ID: <1@a>\r\n\r\n", "m17"),
        (b"X-Relaysim-Id:\r\nMessage-ID: <1@a>\r\n\r\n", "<1@a>"),
        (b"Message-ID:\r\n <1@a>\r\nTo: b\r\n\r\n", "<1@a>"),
        (b"X-Relaysim-Id: m\r\n\tfolded\r\n twice\r\nTo: b\r\n\r\n", "m folded twice"),
        (b"Message-ID: <1@a>", "<1@a>"),
        (b"Message-ID: \xff\r\n\r\n", "\ufffd"),
        (b"X-Relaysim-Id: m1\r\nX-Relaysim-Id: m2\r\n\r\n", "m1"),
    ],
)
def test_the_name(head, name):
    assert message_name(head) == name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\r\nMessage-ID: <1@a>\r\n",
        b"\r\n\r\nX-Relaysim-Id: m17\r\n",
        b"Subject: x\r\n\r\nMessage-ID: <1@a>\r\n",
        b"Subject: x\r\n Message-ID: <1@a>\r\n\r\n",
        b"Subject: x\nMessage-ID: <1@a>\r\n\r\n",
        b"Not-Message-ID: <1@a>\r\n\r\n",
        b"Message-ID:  \r\n \r\n\r\n",
    ],
)
def test_no_name(head):
    assert message_name(head) is None


def test_an_endless_name_is_cut():
    assert message_name(b"Message-ID: " + b"a" * 5_000 + b"\r\n\r\n") == "a" * LONGEST


PART = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b":", b" ", b"Message-ID", b"X-Relaysim-Id", b"a", b"\xff"]
)


@given(st.lists(PART).map(b"".join))
def test_any_octets_are_taken(head):
    assert message_name(head) != ""
