"""Runs a row twice: the real library against the live relay, and its model in virtual time on the
same scenario.

The library's own time for a connection and a message is measured in a run of its own at the relay
without limits, never in the row it is used for. Knows programs by their file's ending, and nothing
of what is in them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from sim.scenario import Scenario, build
from sim.world import World, strategy_of
from tests.fidelity.comparison import Comparison, compare
from tests.fidelity.live import Live, live_relay
from tests.fidelity.observed import Network, Observed, observed, own_time
from tests.fidelity.row import Row
from tests.real_time import STALLED_S, Alone, first, watched

PROGRAMS = Path(__file__).parent / "programs"
NODE_MODULES = Path(__file__).parents[1] / "agreement" / "node_modules"
PHP_LIBRARIES = (
    "/usr/share/php/libphp-phpmailer/autoload.php",
    "/usr/share/php/Symfony/Component/Mailer/autoload.php",
)
JARS = "/usr/share/java/jakarta-mail.jar:/usr/share/java/jakarta-activation.jar"

REPEATS = 5
"""Runs of the real library where luck decides."""


TRIES = 8
"""Runs of a row that the machine held up, at most."""


def why_missing(row: Row) -> str | None:
    """What this machine lacks for the real library, or None."""
    needs = {".mjs": ["node"], ".cjs": ["node"], ".php": ["php"], ".java": ["java"], ".py": []}[
        Path(row.program).suffix
    ]
    if row.library.startswith("Postfix"):
        needs = ["postfix"]
    absent = [
        name
        for name in needs
        if not shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    ]
    if absent:
        return f"needs {', '.join(absent)}"
    if "postfix" in needs and os.geteuid():
        return "needs root, for a Postfix of its own"
    if "php" in needs and not all(Path(path).exists() for path in PHP_LIBRARIES):
        return "needs libphp-phpmailer and php-symfony-mailer"
    if "node" in needs and not NODE_MODULES.is_dir():
        return "needs the npm packages of tests/agreement"
    if "java" in needs and not all(Path(jar).exists() for jar in JARS.split(":")):
        return "needs libjakarta-mail-java"
    return None


def scenario(
    row: Row,
    client_time: tuple[int, int] = (0, 0),
    *,
    limits: bool = True,
    messages: int | None = None,
) -> Scenario:
    """The row's scenario; without ``limits`` that of its calibration run."""
    network = {"jitter": 0, "tls": "none", "relay_time": 0, "rtt": "20ms", **row.network}
    network["client_time"] = {"connection": client_time[0] / 1e6, "message": client_time[1] / 1e6}
    tables: dict[str, Any] = {
        "policy": dict(row.policy) if limits else {"use": "unlimited"},
        "workload": {"kind": "batch", "messages": messages or row.messages},
        "sender": {"strategy": row.strategy, "options": dict(row.options), **row.sender},
        "network": network,
    }
    if limits:
        tables["faults"] = dict(row.faults)
    else:
        network["jitter"] = 0  # it would be taken for the library's own time
    if row.until:
        tables["until"] = row.until
    return build(tables, row.name, row.name, Path())


def run_row(row: Row, alone: Alone = nullcontext) -> Comparison:
    """The whole row: calibration, the real library, the model, and what differs.

    Where only the duration differs both the calibration and the row are run again, at most TRIES
    times in all, and the least own time is held against the least duration: a machine that is busy
    with something else only ever adds to either. Counts and transcripts have one try, and another
    only where the machine stood still meanwhile. ``alone`` is a block in which nobody disturbs; all
    tries but the first are in one.
    """
    owns: list[tuple[int, int]] = []
    quickest: list[Observed] = []
    for turn in range(TRIES):
        with alone() if turn else nullcontext(), first() as undisturbed, watched() as late:
            owns.append(calibrate(row))
            real = [run_real(row, scenario(row)) for _ in range(REPEATS if row.lucky else 1)]
        found = compare(
            row,
            real,
            run_model(scenario(row, owns[-1]), row.messages if row.until else None),
            owns[-1],
        )
        if not found.only_slower_or_quicker:
            if found.holds or (max(late) < STALLED_S and (undisturbed or turn)):
                return found
            continue
        if not quickest or max(each.duration for each in real) < max(
            each.duration for each in quickest
        ):
            quickest = real
        own = min(owns, key=lambda own: own[0] * quickest[0].connections + own[1] * row.messages)
        found = compare(
            row, quickest, run_model(scenario(row, own), row.messages if row.until else None), own
        )
        if found.holds:
            break
    return found


def calibrate(row: Row) -> tuple[int, int]:
    """The library's own microseconds for a connection and for a message."""
    asleep = {"pause": 0} if "pause" in row.options else {}
    row = replace(row, options={**row.options, **asleep, **row.calibration})
    plain = scenario(row, limits=False, messages=min(row.messages, row.calibration_messages))
    with live_relay(plain) as relay:
        run_program(row, relay, plain)
        talks = relay.transcripts()
        peak = relay.result()["connections"]["peak_open"]
    return own_time(
        talks,
        Network(plain.network.rtt, plain.network.relay_time, plain.network.tls),
        sequential=peak <= 1,
    )


def run_real(row: Row, chosen: Scenario) -> Observed:
    """The real library against the live relay."""
    with live_relay(chosen) as relay:
        said = run_program(row, relay, chosen)
        relay.settle()
        return observed(
            relay.result(),
            relay.transcripts(),
            messages=row.messages,
            version=str(said.get("version", "")),
        )


def run_model(chosen: Scenario, messages: int | None = None) -> Observed:
    """The model in virtual time; with ``messages``, what still waits at its end counts as lost, as
    a program's that is cut off.
    """
    world = World(chosen, strategy_of(chosen), transcribe=True)
    result = world.run()
    assert result.error is None, result.error
    assert world.relay.transcripts is not None
    return observed(result.to_dict(), list(world.relay.transcripts.values()), messages=messages)


def run_program(row: Row, relay: Live, chosen: Scenario) -> Mapping[str, Any]:
    """Runs the real program to its end and returns what it says of itself; AssertionError with its
    output if it fails.
    """
    workload: Any = chosen.workload
    given = json.dumps(
        {**row.arguments, "messages": workload.messages, "options": dict(row.options)}
    )
    program = PROGRAMS / row.program
    command = {
        ".mjs": ["node", str(program)],
        ".cjs": ["node", str(program)],
        ".php": ["php", str(program)],
        ".java": ["java", "-cp", JARS, str(program)],
        ".py": [sys.executable, str(program)],
    }[program.suffix]
    environment = {**os.environ, **relay.environment(), "NODE_PATH": str(NODE_MODULES)}
    done = subprocess.run(
        [*command, given],
        env=environment,
        capture_output=True,
        text=True,
        timeout=row.seconds,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, (
        f"{row.name}: {row.program} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    )
    lines = done.stdout.strip().splitlines()
    assert lines, f"{row.name}: {row.program} printed nothing\n{done.stderr[-4000:]}"
    said: Mapping[str, Any] = json.loads(lines[-1])
    return said
