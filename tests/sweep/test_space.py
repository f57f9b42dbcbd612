"""What may be written behind ``--set`` and what it means; hypercubes have one point in each part of
every axis.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import ScenarioError
from sim.sweep import axis, hypercube, points


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,4", "1 2 4"),
        ("5", "5"),
        ("1..4", "1 2 3 4"),
        ("1..10..4", "1 5 9"),
        ("-1..1", "-1 0 1"),
        ("0.1..0.4..0.1", "0.1 0.2 0.3 0.4"),
        ("10ms..30ms..10ms", "10ms 20ms 30ms"),
        ("100/min..300/min..100/min", "100/min 200/min 300/min"),
        ("0s..1s..0.5s", "0s 0.5s 1s"),
        ("log:1..1000:4", "1 10 100 1000"),
        ("log:1ms..100ms:3", "1ms 10ms 100ms"),
        ("log:1..3:9", "1 2 3"),
        ("lin:0..1.0:5", "0 0.25 0.5 0.75 1"),
        ("lin:10..20:3", "10 15 20"),
        ("fixed,gcra", "fixed gcra"),
        ("false,120", "false 120"),
        ("../mine.toml", "../mine.toml"),
    ],
)
def test_values(text, values):
    assert list(axis(f"a.b={text}").values) == values.split()


def test_commas_in_brackets_and_quotes_do_not_part():
    assert axis('k={ count = 1, per = "2s" },[1, 2],"a, b"').values == (
        '{ count = 1, per = "2s" }',
        "[1, 2]",
        '"a, b"',
    )


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("sender.workers", "is not KEY=VALUES"),
        ("=1", "is not KEY=VALUES"),
        ("a..b=1", "is not KEY=VALUES"),
        ("a=", "is not KEY=VALUES"),
        ("a=4..1", "ends before it begins"),
        ("a=1..1", "ends before it begins"),
        ("a=1ms..2s", "different units"),
        ("a=1s..9s..2", "different units"),
        ("a=log:0..10:3", "has no logarithm"),
        ("a=log:1..10", "needs how many values"),
        ("a=lin:1..10:1", "needs how many values"),
        ("a=1..10:3", "but not how"),
        ("a=1..10..0", "step that is not above 0"),
        ("a=0..1..0.0000001", "10,000,001 values"),
    ],
)
def test_what_cannot_be_is_told(setting, said):
    with pytest.raises(ScenarioError, match=said):
        axis(setting)


def test_every_combination_the_last_changing_fastest():
    assert points([axis("a=1,2"), axis("b=x,y")]) == [
        ("a=1", "b=x"),
        ("a=1", "b=y"),
        ("a=2", "b=x"),
        ("a=2", "b=y"),
    ]
    assert points([]) == [()]
    with pytest.raises(ScenarioError, match="make 1,002,001 points"):
        points([axis("a=0..1000"), axis("b=0..1000")])


@given(st.integers(1, 60), st.integers(0, 5))
def test_a_hypercube_has_one_point_in_each_part_of_every_axis(many, seed):
    axes = [axis("a=0.0..1.0", drawn=True), axis("b=log:1.0..1000.0", drawn=True)]
    drawn = hypercube(axes, many, seed)
    first = [float(point[0].removeprefix("a=")) for point in drawn]
    second = [math.log10(float(point[1].removeprefix("b="))) / 3 for point in drawn]
    for shares in (first, second):
        assert sorted(min(many - 1, int(share * many + 1e-6)) for share in shares) == list(
            range(many)
        )
    assert drawn == hypercube(axes, many, seed)


def test_a_hypercube_over_whole_numbers_and_lists_uses_each_as_often():
    axes = [axis("a=1..5", drawn=True), axis("b=x,y", drawn=True), axis("c=7", drawn=True)]
    drawn = hypercube(axes, 20, 1)
    for value in range(1, 6):
        assert sum(point[0] == f"a={value}" for point in drawn) == 4
    assert sum(point[1] == "b=x" for point in drawn) == 10
    assert {point[2] for point in drawn} == {"c=7"}
    with pytest.raises(ScenarioError, match="no key to draw"):
        hypercube([], 5, 1)
