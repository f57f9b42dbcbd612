"""The three readers: values and their lines, and what each says of text that is none of its kind."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.check.lines_of_json import parsed
from sim.check.lines_of_main_cf import expanded, parameters
from sim.check.lines_of_python import UNKNOWN, assigned
from sim.errors import ScenarioError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def paths(value, path=()):
    """Every key's path in an object under keys alone."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, path)


@given(JSON, st.sampled_from([None, 1, "\t"]))
def test_every_key_of_json_has_its_line(value, indent):
    text = json.dumps(value, indent=indent)
    found, lines = parsed(text, "x.json")
    assert found == value
    assert set(lines) == set(paths(value))
    for path, line in lines.items():
        assert json.dumps(path[-1]) + ":" in text.splitlines()[line - 1]


def test_the_later_of_two_equal_keys_counts():
    found, lines = parsed('{"pool": true,\n"pool": false}', "x.json")
    assert (found, lines) == ({"pool": False}, {("pool",): 2})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "x.json:1: is not valid JSON"),
        ('{"a": 1\n\n"b"}', "x.json:3: is not valid JSON"),
        ('{"a": NaN}', "NaN is no value of JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 5_000 + "}", "is not valid JSON"),
        ("", "x.json:1: is not valid JSON"),
    ],
)
def test_what_is_no_json(text, said):
    with pytest.raises(ScenarioError) as caught:
        parsed(text, "x.json")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_of_python_by_their_last_assignment():
    found = assigned(
        "import os\nA = 1\nif os.name:\n    A = 2\n    B: int = 3\nelse:\n    C = 'c'\ntry:\n    D = 4\nexcept ValueError:\n    E = 5\n"
        "def f():\n    F = 6\n",
        "x.py",
    )
    assert {name: tuple(each) for name, each in found.items()} == {
        "A": (2, 4), "B": (3, 5), "C": ("c", 7), "D": (4, 9), "E": (5, 11)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("os.environ.get('X', '587')", "587"),
        ("int(os.environ.get('X', '587'))", 587),
        ("int(os.environ['X'])", UNKNOWN),
        ("os.getenv('X')", UNKNOWN),
        ("env.int('X', default=25)", 25),
        ("config('X', default='30', cast=int)", 30),
        ("config('X', default='x', cast=int)", UNKNOWN),
        ("compute()", UNKNOWN),
        ("1 + 1", UNKNOWN),
        ("-5", -5),
        ("__import__('os').system('true')", UNKNOWN),
    ],
)
def test_what_can_be_told_without_running_python(written, value):
    assert assigned(f"EMAIL_X = {written}\n", "x.py")["EMAIL_X"].value == value


@pytest.mark.parametrize("text", ["A = = 1", "(" * 100_000, "A = 1\0", "def f(:\n", "\ud800 = 1", "A = '\n", "0777 = 1"])
def test_what_is_no_python(text):
    with pytest.raises(ScenarioError, match="is not valid Python"):
        assigned(text, "x.py")


def test_lines_of_a_main_cf():
    found = parameters("# c\na = 1\n\n  two\n# c\n   three\nb=$a\nb = x\n", "main.cf")
    assert {name: tuple(each) for name, each in found.items()} == {"a": ("1 two three", 2), "b": ("x", 8)}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$one", "1"),
        ("${one}x", "1x"),
        ("$(one) $one", "1 1"),
        ("${one?yes}${none?no}", "yes"),
        ("${one:no}${none:yes}", "yes"),
        ("$two", "1"),
        ("$nothing", ""),
        ("$default", "d"),
        ("$loop", None),
        ("a$", "a$"),
    ],
)
def test_references(written, value):
    found = parameters(f"one = 1\ntwo = $one\nloop = $loop$loop\nx = {written}\n", "main.cf")
    seen = expanded("x", found, {"default": "d"})
    assert value is None or seen == value
    assert len(seen) <= 100_000


@pytest.mark.parametrize("text", ["hello", "a b = c", "= c", "smtp_x = 1\n[section]\n", "é = 1"])
def test_what_is_no_main_cf(text):
    with pytest.raises(ScenarioError, match=r"is no parameter of a main\.cf"):
        parameters(text, "main.cf")
