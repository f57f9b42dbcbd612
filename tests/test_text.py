"""Texts in messages: one line, printable, and cut to a length."""

from __future__ import annotations

import pytest

from sim.text import cut, one_line, raised, shown


class Silent(Exception):
    """Cannot be turned into text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("text", "length", "found"),
    [
        ("", 60, ""),
        ("a" * 60, 60, "a" * 60),
        ("a" * 61, 60, "a" * 57 + "..."),
        ("abcdef", 5, "ab..."),
    ],
)
def test_a_long_text_is_cut_to_exactly_the_length(text, length, found):
    assert cut(text, length) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ("a", '"a"'),
        ("a\nb", '"a\\nb"'),
        (1.5, "1.5"),
        ("x" * 80, '"' + "x" * 56 + "..."),
    ],
)
def test_a_value_is_shown_as_it_was_written(value, text):
    assert shown(value) == text


def test_a_number_that_python_cannot_print_is_shown_in_words():
    assert shown(10**5_000) == "a number that is far too long"


def test_a_line_has_no_sign_that_cannot_be_printed():
    assert one_line("a\tb\x00") == "a\\tb\\x00"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError(), "ValueError"),
        (ValueError("a\nb"), "ValueError: a\\nb"),
        (ValueError("x" * 400), "ValueError: " + "x" * 297 + "..."),
        (Silent(), "Silent"),
    ],
)
def test_an_exception_is_its_type_and_its_text(error, text):
    assert raised(error) == text
