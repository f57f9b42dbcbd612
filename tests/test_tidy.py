"""The house is kept: every file of the repository against the rules of ``tests/house.py``, and
every rule against a bad file.

A failure says place, what was found and what to use instead.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.house import (
    MOST_LINES_FILE,
    MOST_LINES_FUNCTION,
    STAGES,
    complaints,
    machine_traces,
    toml_synonyms,
)

DOC = '"""Says what it is."""\n'
LEFT_OUT = {".git", "node_modules", "__pycache__", "build", "dist", "out"}


def files(repository: Path) -> list[Path]:
    """What git tracks or would, relative to the repository; without git, what the folders hold."""
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


def test_the_python_files(texts):
    ours = {
        path: text
        for path, text in texts.items()
        if path.suffix == ".py" and path.parts[0] in ("sim", "tests", "app.py")
    }
    assert Path("sim/units.py") in ours
    assert Path("tests/house.py") in ours
    found = [line for path, text in ours.items() for line in complaints(path, text)]
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


def test_no_part_stands_twice_in_the_order():
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
    ("sim/production.py", "from .world import run\n", "not below it"),
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
    ("sim/report/junit.py", "import datetime\nnow = datetime.datetime.now()\n", "reads a clock"),
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
        'scenarios/a.toml: sender.clients: "clients" says clients: the word here is sender'
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
