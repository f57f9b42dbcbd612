"""Names, values and lines of a Python file that is never executed, and errors for text that is not
Python.
"""

from __future__ import annotations

import pytest

from sim.check.python_source import ELSEWHERE, UNKNOWN, Unknown, assigned, in_classes
from sim.errors import ScenarioError


def test_names_of_python_by_their_last_assignment():
    found = assigned(
        "import os\nA = 1\nA, (B, C) = 2, (3, 'c')\nD: int = 4\ndef f():\n    F = 6\n"
        "G: str\nH = I = 7\nwith x as J:\n    K = 8\n"
        "L = 9\ndel L\nM = 10\nM += 1\nfor N in ():\n    pass\n"
        "from x import O as P, Q\nR, S = pair()\nT['a'] = 1\n",
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
    text = (
        "class A:\n    EMAIL_X = 1\nclass B(A):\n    Y = 1\nclass C(A):\n    if x:\n"
        "        EMAIL_Y = 1\n"
    )
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
