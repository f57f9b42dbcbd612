"""Durations and rates: exact, strict, and with a remedy in words."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import units


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        (90, 90_000_000),
        (0, 0),
        (0.5, 500_000),
        ("90s", 90_000_000),
        ("1.5h", 5_400_000_000),
        ("2m", 120_000_000),
        ("40ms", 40_000),
        ("90d", 7_776_000_000_000),
        (0.2 - 0.05, 150_000),
        ("0.0000005s", 0),
        ("0.0000015s", 2),
        ("400d", units.LONGEST),
        (-0.0, 0),
    ],
)
def test_a_duration(written, micros):
    assert units.duration(written) == micros


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1 hr", '"1 hr" is not a duration; write "1h"'),
        ("5 minutes", 'write "5m"'),
        ("7", 'write "7s"'),
        (
            "1h30m",
            'write a number of seconds or a string with ms, s, m, h or d, such as "90s" or "1h"',
        ),
        ("2 weeks", "write a number of seconds or a string with ms, s, m, h or d"),  # not "2s"
        ("-5s", '"-5s" is not a duration'),
        ("\u0665s", "is not a duration; write a number of seconds"),  # a digit, but not one of ours
        ("", '"" is not a duration'),
        (True, "True is not a duration"),
        (None, "None is not a duration"),
        ([1], "is not a duration"),
        (float("nan"), "nan is not a duration; write a finite number of seconds"),
        (float("-inf"), "-inf is not a duration"),
        (-1, "-1 is negative; a duration is 0 or more"),
        ("401d", '"401d" is too long; at most 400d'),
        (10**400, "is too long; at most 400d"),
        pytest.param(
            10**5_000, "a number of thousands of digits is too long", id="thousands of digits"
        ),
        ("9" * 5_000 + "s", "has too many digits; at most 40"),
    ],
)
def test_no_duration(written, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        units.duration(written)


@pytest.mark.parametrize(
    ("written", "per_micro"),
    [
        ("10/s", Fraction(1, 100_000)),
        ("300/min", Fraction(1, 200_000)),
        ("5000/h", Fraction(1, 720_000)),
        ("20/d", Fraction(1, 4_320_000_000)),
        ("0.1/s", Fraction(1, 10_000_000)),
        ("1000000/s", 1),
    ],
)
def test_a_rate(written, per_micro):
    assert units.rate(written) == per_micro


@pytest.mark.parametrize(
    "written",
    ["-5/s", "0/s", "5", 5, "5/m", "5 /s", "1000001/s", None, "9" * 5_000 + "/s", "nan/s"],
)
def test_no_rate(written):
    with pytest.raises(ValueError, match=r"rate|at most"):
        units.rate(written)


@given(micros=st.integers(0, units.LONGEST))
def test_seconds_lead_back_to_the_same_microsecond(micros):
    assert units.duration(units.seconds(micros)) == micros


@pytest.mark.parametrize(
    ("micros", "words"),
    [
        (90_000_000, "90s"),
        (3_600_000_000, "1h"),
        (250_000, "250ms"),
        (0, "0s"),
        (505_000, "505ms"),
        (1, "0.001ms"),
    ],
)
def test_spoken(micros, words):
    assert units.spoken(micros) == words
    assert units.duration(words) == micros
