"""The reader of lines and bodies: any octets, cut in any way, in bounded memory.

The oracle of bodies is a reading line by line, slow and plain; aiosmtpd is asked in
``tests/relay/test_wire_outside.py``.
"""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim.smtp import replies
from sim.smtp.lines import AUTH_LINE, COMMAND_LINE, MAIL_LINE, Body, Reader


def commands(pieces, reader=None):
    """Everything that a reader makes of ``pieces`` as commands."""
    reader = reader or Reader()
    found = []
    for piece in pieces:
        reader.feed(piece)
        while (line := reader.command()) is not None:
            found.append(line)
    return found


def body(pieces, keep=1 << 20):
    """The body after a line, and the rest after the body."""
    reader = Reader(keep)
    reader.feed(b"DATA\r\n")
    assert reader.command() == b"DATA"
    reader.begin_body()
    found = None
    for piece in pieces:
        reader.feed(piece)
        found = found or reader.body()
    reader.feed(b"\r\n")  # so that the rest can be read as a line
    return found, reader.command() if found else None


def octets(data):
    return [data[i : i + 1] for i in range(len(data))]


def plainly(data):
    """What ``body`` must find, a line at a time: content and the rest, or None."""
    lines = data.split(b"\r\n")
    if b"." not in lines[:-1]:  # the rest after the last CRLF is not a whole line
        return None
    end = lines.index(b".")
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:end]), b"\r\n".join(
        lines[end + 1 :]
    )


@pytest.mark.parametrize("cut", [lambda data: [data], octets])
def test_lines_end_with_crlf_only(cut):
    assert commands(cut(b"NOOP\r\nA\nB\rC\r\r\n\r\n\nQUIT\r")) == [b"NOOP", b"A\nB\rC\r", b""]


@pytest.mark.parametrize(
    ("start", "longest", "answer"),
    [
        (b"NOOP ", COMMAND_LINE, replies.LINE_TOO_LONG),
        (b"", COMMAND_LINE, replies.LINE_TOO_LONG),
        (b"AUTHOR ", COMMAND_LINE, replies.LINE_TOO_LONG),
        (b"MAIL ", MAIL_LINE, replies.LINE_TOO_LONG),
        (b"auth ", AUTH_LINE, replies.AUTH_LINE_TOO_LONG),
    ],
)
@pytest.mark.parametrize("cut", [lambda data: [data], octets])
def test_the_longest_line_and_one_octet_more(start, longest, answer, cut):
    line = start + b"x" * (longest - 2 - len(start))
    assert commands(cut(line + b"\r\nNOOP\r\n")) == [line, b"NOOP"]
    assert commands(cut(line + b"x\r\nNOOP\r\n")) == [answer, b"NOOP"]


@pytest.mark.parametrize("cut", [lambda data: [data], octets])
def test_a_response_may_be_as_long_as_auth(cut):
    for line, found in (
        (b"x" * (AUTH_LINE - 2), None),
        (b"x" * (AUTH_LINE - 1), replies.AUTH_LINE_TOO_LONG),
    ):
        reader = Reader()
        answers = []
        for piece in cut(line + b"\r\n"):
            reader.feed(piece)
            answers.append(reader.response())
        assert [answer for answer in answers if answer is not None] == [found or line]


def test_an_endless_line_is_answered_once_and_not_kept():
    reader = Reader()
    tracemalloc.start()
    for _ in range(2_000):
        reader.feed(b"NOOP\n\r." * 700)
        assert reader.command() is None
        assert len(reader._buffer) - reader._at <= AUTH_LINE
    assert tracemalloc.get_traced_memory()[1] < 200_000
    tracemalloc.stop()
    assert commands([b"x\r", b"\nNOOP\r\n"], reader) == [replies.LINE_TOO_LONG, b"NOOP"]


def test_what_is_waiting_can_be_thrown_away():
    reader = Reader()
    assert commands([b"STARTTLS\r\nMAIL"], reader) == [b"STARTTLS"]
    reader.clear()
    assert commands([b" FROM:<a@b>\r\n"], reader) == [b" FROM:<a@b>"]


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"Hello\r\n.\r\n", b"Hello\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".a\r\n..b\r\n...c\r\n.\r\n", b"a\r\n.b\r\n..c\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
        (b"\0\xff\r\n.\r\n", b"\0\xff\r\n"),
        (b".\r\r\n.\r\n", b"\r\r\n"),
        (b"\r\r\n.\r\n", b"\r\r\n"),
    ],
)
@pytest.mark.parametrize("cut", [lambda data: [data], octets])
def test_bodies(data, content, cut):
    assert body(cut(data + b"QUIT")) == (Body(len(content), content), b"QUIT")


@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\n\n.\r\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r\n.\r\r\n",
        b"\r\n. \r\n",
        b"\r\n\0.\r\n",
    ],
)
@pytest.mark.parametrize("cut", [lambda data: [data], octets])
def test_nothing_else_ends_a_body(end, cut):
    smuggled = b"Hello" + end + b"MAIL FROM:<evil@b>\r\n"
    assert body(cut(smuggled)) == (None, None)
    found, rest = body(cut(smuggled + b".\r\nQUIT"))
    assert found is not None
    assert b"MAIL FROM" in found.head
    assert rest == b"QUIT"


PART = st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"x", b"\r\n.", b"\r\n.\r\n", b"\0"])
PARTS = st.lists(PART, max_size=25).map(b"".join)


@given(PARTS, st.lists(st.integers(0, 60)))
@example(b"\r\n.\r\n.\r\n", [2, 3])
def test_a_body_is_what_a_reading_line_by_line_makes_of_it(data, cuts):
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(places)]
    expected = plainly(data)
    found, rest = body(pieces)
    if expected is None:
        assert found is None
    else:
        assert found == Body(len(expected[0]), expected[0])
        assert rest == expected[1].split(b"\r\n")[0]
    assert found == body(octets(data))[0]


def test_of_a_large_body_only_the_beginning_is_kept():
    reader = Reader(keep=1_000)
    reader.feed(b"DATA\r\n")
    reader.command()
    reader.begin_body()
    chunk = b"..x" + b"y" * 4_091 + b"\r\n"
    tracemalloc.start()
    for _ in range(2_500):
        reader.feed(chunk)
        assert reader.body() is None
        assert len(reader._buffer) - reader._at <= 4
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    reader.feed(b".\r\n")
    assert reader.body() == Body(2_500 * (len(chunk) - 1), chunk[1:1_001])


@given(st.integers(0, 12), PARTS)
def test_the_beginning_does_not_depend_on_the_cut(keep, data):
    data += b"\r\n.\r\n"
    assert body([data], keep)[0] == body(octets(data), keep)[0]


def test_a_body_begins_after_a_line():
    with pytest.raises(AssertionError):
        Reader().begin_body()
