"""Every file of the repository against the rules of ``tests/house.py`` and ``tests/readable.py``,
and every rule against a file that breaks it.

A failure prints the place, the problem and the remedy.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.house import (
    MOST_LINES_FILE,
    MOST_LINES_FUNCTION,
    STAGES,
    circles,
    complaints,
    machine_traces,
    toml_synonyms,
)
from tests.readable import hard_to_read, too_many

DOC = '"""A module."""\n'
LEFT_OUT = {".git", "node_modules", "__pycache__", "build", "dist", "out"}


def files(repository: Path) -> list[Path]:
    """The files that git tracks or would track, relative to the repository; without git, all."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(
            command, cwd=repository, capture_output=True, text=True, check=True
        ).stdout.split("\0")
        found = [Path(name) for name in listed if name and (repository / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        found = [path.relative_to(repository) for path in repository.rglob("*") if path.is_file()]
    return sorted(
        path
        for path in found
        if not any(part in LEFT_OUT or part.startswith(".venv") for part in path.parts)
    )


@pytest.fixture(scope="module")
def texts(repository: Path) -> dict[Path, str]:
    """Every text file of the repository."""
    found = {}
    for path in files(repository):
        raw = (repository / path).read_bytes()
        if b"\0" not in raw:
            found[path] = raw.decode()
    return found


@pytest.fixture(scope="module")
def python(texts: dict[Path, str]) -> dict[Path, str]:
    """The Python files of the repository."""
    ours = {
        path: text
        for path, text in texts.items()
        if path.suffix == ".py" and path.parts[0] in ("sim", "tests", "app.py")
    }
    assert Path("sim/units.py") in ours
    assert Path("tests/house.py") in ours
    return ours


def test_the_python_files(python):
    found = [line for path, text in python.items() for line in complaints(path, text)]
    assert not found, "\n" + "\n".join(found)


def test_no_circle_of_imports(python):
    found = list(circles(python))
    assert not found, "\n" + "\n".join(found)


def test_no_more_places_that_are_hard_to_read(python):
    found = list(too_many(python))
    assert not found, "\n" + "\n".join(found)


def test_the_keys_of_policies_and_scenarios(texts):
    ours = {
        path: text
        for path, text in texts.items()
        if path.suffix == ".toml" and path.parts[0] in ("sim", "scenarios")
    }
    assert Path("sim/policies/mailersend.toml") in ours
    found = [line for path, text in ours.items() for line in toml_synonyms(path, text)]
    assert not found, "\n" + "\n".join(found)


def test_nothing_names_a_machine_or_an_index(texts):
    found = [line for path, text in texts.items() for line in machine_traces(path, text)]
    assert not found, "\n" + "\n".join(found)


def test_no_part_is_in_the_order_twice():
    parts = [part for stage in STAGES for part in stage]
    assert len(parts) == len(set(parts))


LONG_FUNCTION = "def long():\n" + "    pass\n" * MOST_LINES_FUNCTION

BAD = [
    ("sim/units.py", "from sim.limits import Limit\n", "not below it"),
    ("sim/limits/limit.py", "from ..smtp import replies\n", "not below it"),
    ("sim/smtp/replies.py", "from sim.limits.limit import Limit\n", "not below it"),
    ("sim/relay/relay.py", "def late():\n    from .. import measure\n", "not below it"),
    ("sim/world/run.py", "from .. import live\n", "not below it"),
    ("sim/live/door.py", "import sim.world.run\n", "not below it"),
    ("sim/production/run.py", "from ..world import run\n", "not below it"),
    ("sim/relay/__init__.py", "from ..cli import main\n", "not below it"),
    ("sim/world/run.py", "from sim import run\n", "name the module"),
    ("sim/helpers.py", "import math\n", "add it to STAGES"),
    ("sim/limits/fixed.py", "import simpy\n", "below the doors"),
    ("sim/smtp/lines.py", "from asyncio import sleep\n", "below the doors"),
    ("sim/relay/relay.py", "import socket\n", "below the doors"),
    ("sim/measure/result.py", "import time\n", "below the doors"),
    ("sim/scenario/loader.py", "from datetime import datetime\n", "below the doors"),
    ("sim/strategies/retry.py", "import random\n", "sim.streams"),
    ("sim/world/run.py", "from time import monotonic\n", "take the time as an argument"),
    ("sim/report/exports.py", "import datetime\nnow = datetime.datetime.now()\n", "reads a clock"),
    ("sim/scenario/trace.py", "from datetime import date\ntoday = date.today()\n", "reads a clock"),
    ("sim/world/run.py", "import numpy as np\nluck = np.random.default_rng()\n", "sim.streams"),
    ("sim/world/run.py", "from numpy.random import normal\n", "sim.streams"),
    ("sim/relay/relay.py", "class Server:\n    pass\n", "the word here is relay"),
    ("sim/limits/limit.py", "def check(quota):\n    pass\n", "the word here is limit"),
    ("sim/relay/policy.py", "class Policy:\n    lockout: int\n", "the word here is block"),
    (
        "sim/world/outbox.py",
        "class Outbox:\n    def put(self, *mails):\n        pass\n",
        "the word here is message",
    ),
    ("sim/world/outbox.py", "class SendQueue:\n    pass\n", "the word here is outbox"),
    ("sim/world/run.py", "interval: int = 0\n", "the word here is window"),
    ("sim/measure/result.py", "row = {'violations': 1}\n", "the word here is incident"),
    ("sim/cli/run.py", "option = '--client-count'\n", "the word here is sender"),
    ("sim/limits/fixed.py", LONG_FUNCTION, f"at most {MOST_LINES_FUNCTION}"),
    ("tests/test_units.py", "pass\n" * MOST_LINES_FILE, f"at most {MOST_LINES_FILE}"),
]

GOOD = [
    ("sim/__init__.py", "from .cli import main\nfrom .world import run\n"),
    (
        "sim/relay/relay.py",
        "from ..limits import Limit\nfrom . import policy\nfrom sim import units\n",
    ),
    ("sim/scenario/trace.py", "from datetime import datetime\n"),
    ("sim/live/door.py", "import asyncio\nimport time\nfrom ..relay import Relay\n"),
    ("sim/world/run.py", "import simpy\n"),
    ("sim/relay/session.py", "class Session:\n    def mail(self, now):\n        queue = now\n"),
    (
        "sim/scenario/schema.py",
        "class ClientTime:\n    profile: int\n    client_time: int\n    _queue: int\n",
    ),
    ("sim/plan/ceilings.py", "def proof(interval):\n    pass\n"),
    ("sim/limits/fixed.py", LONG_FUNCTION.removesuffix("    pass\n")),
    ("tests/test_units.py", "import time\nclass Server:\n    pass\n"),
]


@pytest.mark.parametrize(("path", "body", "says"), BAD)
def test_a_bad_file_is_found(path, body, says):
    found = complaints(Path(path), DOC + body)
    assert any(says in line and line.startswith(path) for line in found), found


@pytest.mark.parametrize(("path", "body"), GOOD)
def test_a_good_file_is_left_alone(path, body):
    assert complaints(Path(path), DOC + body) == []


CIRCLES = {
    "two modules": {
        "sim/limits/limit.py": "from .fixed import Fixed\n",
        "sim/limits/fixed.py": "from .limit import Limit\n",
    },
    "an import within a function": {
        "sim/relay/policy.py": "from ..limits import fixed\n",
        "sim/limits/limit.py": "def late():\n    from .fixed import Fixed\n",
        "sim/limits/fixed.py": "from .limit import Limit\n",
    },
    "an import for types only": {
        "sim/limits/limit.py": (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .fixed import Fixed\n"
        ),
        "sim/limits/fixed.py": "from . import limit\n",
    },
    "three modules": {
        "sim/world/run.py": "from .sender import Sender\n",
        "sim/world/sender.py": "import sim.world.dialogue\n",
        "sim/world/dialogue.py": "from .run import World\n",
    },
    "a package and its module": {
        "sim/limits/__init__.py": "from .fixed import Fixed\n",
        "sim/limits/fixed.py": "from . import Limit\n",
    },
    "two packages": {
        "sim/measure/result.py": "from ..relay import policy\n",
        "sim/measure/words.py": "",
        "sim/relay/policy.py": "",
        "sim/relay/relay.py": "from ..measure import words\n",
    },
}


@pytest.mark.parametrize("planted", CIRCLES.values(), ids=CIRCLES)
def test_a_planted_circle_is_found(planted):
    found = list(circles({Path(path): DOC + body for path, body in planted.items()}))
    assert len(found) == 1
    assert found[0].endswith("a circle; move the shared part to a module that imports none of them")


def test_a_circle_is_reported_in_the_order_of_its_imports():
    planted = {Path(path): body for path, body in CIRCLES["three modules"].items()}
    (found,) = circles(planted)
    ring = "sim.world.run imports sim.world.sender imports sim.world.dialogue imports sim.world.run"
    names = found.partition(":")[0].split(" imports ")
    start = names.index("sim.world.run")
    assert " imports ".join([*names[start:-1], *names[:start], "sim.world.run"]) == ring


def test_imports_that_run_one_way_are_no_circle():
    ours = {
        Path("sim/relay/__init__.py"): "from .relay import Relay\n",
        Path("sim/relay/relay.py"): "from .policy import Policy\nfrom ..limits import fixed\n",
        Path("sim/relay/policy.py"): "from ..limits import fixed\n",
        Path("sim/limits/fixed.py"): "import math\n",
    }
    assert not list(circles(ours))


HARD_TO_READ = [
    ("x = 1  # fmt: skip\n", "fmt"),
    ("# fmt: off\nx = 1\n", "fmt"),
    ("a, b = 1, 2\n", "tuple assignment"),
    ("self.a, (b, c) = x, pair()\n", "tuple assignment"),
    ("[a, b, c] = old, [], 0\n", "tuple assignment"),
    ("self.old, self.new = self.new, self.table()\n", "tuple assignment"),
    ("x = 1 if a else 2 if b else 3\n", "nested conditional"),
    ("x = f(1 if a else 2) if b else 3\n", "nested conditional"),
    (f"x = '{'long ' * 20}'\n", "long line"),
    (f"x = 1  # {'long ' * 19} https://example.com/\n", "long line"),
]


@pytest.mark.parametrize(("body", "rule"), HARD_TO_READ)
def test_a_place_that_is_hard_to_read_is_found(body, rule):
    assert [found for found, _ in hard_to_read(Path("sim/units.py"), body)] == [rule]
    assert any(rule in line for line in too_many({Path("sim/new/a.py"): body}))


@pytest.mark.parametrize(
    "body",
    [
        "a, b = b, a\n",
        "a, b = b, a + b\n",
        "a, b = pair\n",
        "a = b = 1\n",
        "x = 1 if a else 2\n",
        "x = [1 if a else 2, 3 if b else 4]\n",
        "x = '# fmt: skip'\n",
        f"x = 'https://example.com/{'long/' * 20}'\n",
        f"x = '{'x' * 94}'\n",
    ],
)
def test_a_place_that_is_easy_to_read_is_left_alone(body):
    assert not list(hard_to_read(Path("sim/units.py"), body))


def test_an_allowance_that_is_too_large_is_found(monkeypatch):
    monkeypatch.setattr("tests.readable.ALLOWED", {"long line": {"sim/new": 2}})
    long = "x = 1  #" + " long" * 20 + "\n"
    assert not list(too_many({Path("sim/new/a.py"): long * 2}))
    (found,) = too_many({Path("sim/new/a.py"): long})
    assert found.startswith("sim/new: only 1 left: lower ALLOWED")


def test_a_module_without_a_docstring_is_found():
    assert "has no docstring" in complaints(Path("sim/units.py"), "x = 1\n")[0]
    assert complaints(Path("sim/strategies/__init__.py"), "") == []


def test_a_bad_key_of_a_scenario_is_found():
    found = list(
        toml_synonyms(
            Path("scenarios/a.toml"), "[sender]\nclients = 3\n[sender.options]\nqueue = 1\n"
        )
    )
    assert found == [
        'scenarios/a.toml: sender.clients: "clients" contains clients: the word here is sender'
    ]
    assert not list(
        toml_synonyms(
            Path("scenarios/a.toml"), "[network]\nclient_time = 1\n[workload]\nprofile = []\n"
        )
    )


@pytest.mark.parametrize(
    "trace",
    [
        "{}home/someone/relaysim",
        "'{}tmp/x'",
        "file:{0}{0}{0}opt/x",
        "https:{0}{0}pypi.example/simple",
    ],
)
def test_a_trace_of_a_machine_is_found(trace):
    assert list(machine_traces(Path("README.md"), "see " + trace.format("/")))


@pytest.mark.parametrize(
    "text",
    [
        "sim/work/a.py",
        "https://example.org/home/page",
        "path/to/file.py",
        "/usr/bin/env bash",
        "a /opt b",
    ],
)
def test_other_paths_are_left_alone(text):
    assert not list(machine_traces(Path("README.md"), text))
