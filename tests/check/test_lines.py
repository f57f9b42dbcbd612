"""The three readers: values and their lines, and what each says of text that is none of its kind."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.check.lines_of_json import parsed
from sim.check.lines_of_main_cf import expanded, parameters
from sim.check.lines_of_python import ELSEWHERE, UNKNOWN, Unknown, assigned, in_classes
from sim.errors import ScenarioError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
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
        ("// ours\n{}", "; JSON has no comments, take them out"),
        ('{"a": 1, // ours\n"b": 2}', "; JSON has no comments, take them out"),
        ('{"a": 1,\n}', "; take out the comma in front of the bracket"),
        ("{'a': 1}", "; write double quotes"),
        ("{a: 1}", "; write names and texts in double quotes"),
        ('{"a": process.env.A}', "; write names and texts in double quotes"),
    ],
)
def test_what_is_no_json(text, said):
    with pytest.raises(ScenarioError) as caught:
        parsed(text, "x.json")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_of_python_by_their_last_assignment():
    found = assigned(
        "import os\nA = 1\nA, (B, C) = 2, (3, 'c')\nD: int = 4\ndef f():\n    F = 6\nG: str\nH = I = 7\nwith x as J:\n    K = 8\n"
        "L = 9\ndel L\nM = 10\nM += 1\nfor N in ():\n    pass\nfrom x import O as P, Q\nR, S = pair()\nT['a'] = 1\n",
        "x.py",
    )
    assert {name: tuple(each)[:2] for name, each in found.items()} == {
        "os": (UNKNOWN, 1),
        "A": (2, 3),
        "B": (3, 3),
        "C": ("c", 3),
        "D": (4, 4),
        "H": (7, 8),
        "I": (7, 8),
        "J": (UNKNOWN, 9),
        "K": (8, 10),
        "M": (UNKNOWN, 14),
        "N": (UNKNOWN, 15),
        "P": (UNKNOWN, 17),
        "Q": (UNKNOWN, 17),
        "R": (UNKNOWN, 18),
        "S": (UNKNOWN, 18),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("if x:\n    A = 1\nelse:\n    A = 2\n", "1 (line 2) or 2 (line 4)"),
        ("A = 1\nif x:\n    A = 2\n", "2 (line 3) or 1 (line 1)"),
        ("if x:\n    A = 1\n", "1 (line 2) or not there"),
        (
            "if x:\n    A = 1\nelif y:\n    A = True\nelse:\n    A = '1'\n",
            "1 (line 2), True (line 4) or '1' (line 6)",
        ),
        (
            "try:\n    A = 1\nexcept OSError:\n    A = 2\nfinally:\n    B = 1\n",
            "1 (line 2) or 2 (line 4)",
        ),
        ("match x:\n    case 1:\n        A = 1\n", "1 (line 3) or not there"),
        ("while x:\n    A = 1\n", "1 (line 2) or not there"),
        ("if x:\n    A = 1\nelse:\n    A = y()\n", ""),
        (
            "if x:\n    A = 0\n" + "".join(f"elif x == {n}:\n    A = {n}\n" for n in range(1, 12)),
            "",
        ),
    ],
)
def test_a_name_whose_value_a_condition_decides(text, said):
    value = assigned(text, "x.py")["A"].value
    assert isinstance(value, Unknown)
    assert value.either == said


@pytest.mark.parametrize(
    "text",
    [
        "if x:\n    A = 1\nelse:\n    A = 1\n",
        "if x:\n    A = 2\nA = 1\n",
        "B = 1\nif x:\n    B = 2\nA = 1\n",
    ],
)
def test_a_name_that_no_condition_changes(text):
    assert assigned(text, "x.py")["A"].value == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from .base import *\n", "from .base import *"),
        ("import os\nvars().update(\n  os.environ)\n", "vars().update(os.environ)"),
        ("globals()['A'] = 1\n", "globals()['A']"),
        ("try:\n    from .local import *\nexcept ImportError:\n    pass\n", "from .local import *"),
        ("include('components/*.py')\n", "include('components/*.py')"),
    ],
)
def test_names_from_elsewhere(text, said):
    assert assigned("A = 1\n" + text, "x.py")[ELSEWHERE].value == said
    assert assigned("A = 1\n" + text, "x.py")["A"].value == 1
    assert ELSEWHERE not in assigned(
        "import os\nfrom os import path\nprint(1)\nx = {}\nx['a'] = 2\n", "x.py"
    )


def test_classes_that_assign():
    text = "class A:\n    EMAIL_X = 1\nclass B(A):\n    Y = 1\nclass C(A):\n    if x:\n        EMAIL_Y = 1\n"
    assert in_classes(text, "EMAIL_") == ["A (line 1)", "C (line 5)"]


def test_a_long_file_takes_no_long_time():
    """Twice as much takes twice as long: nothing is copied for each line."""
    lines = "".join(f"if x:\n    A{n} = {n}\nB{n} = A{n} + 1\n" for n in range(10_000))
    assert len(assigned(lines, "x.py")) == 20_000


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
        ("config('X', default='False', cast=bool)", False),
        ("config('X', default='on', cast=bool)", True),
        ("config('X', default='perhaps', cast=bool)", UNKNOWN),
        ("config('X', default='1,2', cast=Csv())", UNKNOWN),
        ("bool(os.environ.get('X', 'False'))", True),
        ("os.environ.get('X') or 587", 587),
        ("os.environ['X'] or 587", 587),
        ("ask() or 587", UNKNOWN),
        ("compute()", UNKNOWN),
        ("1 + 1", 2),
        ("60 * 5 // 2 - 1", 149),
        ("10 ** 10", UNKNOWN),
        ("1 / 0", UNKNOWN),
        ("'a' + 'b'", "ab"),
        ("'a' * 10", UNKNOWN),
        ("1e12 * 10", UNKNOWN),
        ("NAME + 1", 8),
        ("f'smtp.{PLACE}.example'", "smtp.eu.example"),
        ("f'{NAME:03}'", UNKNOWN),
        ("f'{compute()}'", UNKNOWN),
        ("not NAME", False),
        ("not compute()", UNKNOWN),
        ("1 if NAME else 2", 1),
        ("1 if compute() else 2", UNKNOWN),
        ("-5", -5),
        ("__import__('os').system('true')", UNKNOWN),
    ],
)
def test_what_can_be_told_without_running_python(written, value):
    assert (
        assigned(f"NAME = 7\nPLACE = 'eu'\nEMAIL_X = {written}\n", "x.py")["EMAIL_X"].value == value
    )


def test_what_is_looked_up_outside_is_told_by_its_default():
    found = assigned("A = os.environ.get('A', 1)\nB = A + 1\nC = f'{B}'\nD = 1\n", "x.py")
    assert {name: each.outside for name, each in found.items()} == {
        "A": True,
        "B": True,
        "C": True,
        "D": False,
    }


@pytest.mark.parametrize(
    "text", ["A = = 1", "(" * 100_000, "A = 1\0", "def f(:\n", "\ud800 = 1", "A = '\n", "0777 = 1"]
)
def test_what_is_no_python(text):
    with pytest.raises(ScenarioError, match="is not valid Python"):
        assigned(text, "x.py")


def test_lines_of_a_main_cf():
    found = parameters("# c\na = 1\n\n  two\n# c\n   three\nb=$a\nb = x\n", "main.cf")
    assert {name: tuple(each)[:2] for name, each in found.items()} == {
        "a": ("1 two three", 2),
        "b": ("x", 8),
    }


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
