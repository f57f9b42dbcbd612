"""``relaysim validate -- CMD ...``: runs any program against a live relay and judges it.

Reads the options and prints; ``sim.live.program`` runs the program.
"""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import current_thread, main_thread

import click

from .. import report, units
from ..errors import ScenarioError
from ..live import running, scenario_of
from ..live.program import Ended, run_program
from ..measure import Result
from ..measure.result import Finding
from ..scenario import load_scenario
from ..scenario.expectations import parse_expectations
from ..scenario.toml import toml_value
from ..text import cut
from .common import console, print_json_text, status_of
from .serve import users_of

PLACE = "command line"

EXPECTED = {"incidents.total": "== 0", "messages.lost": "== 0", "messages.accepted": ">= 1"}
"""The expectations if the scenario has none. Then the program must also end with status 0."""

PATIENCE = "10m"

NEVER = Finding(
    None,
    "The program never connected to the relay.",
    "It is told where the relay is by RELAY_HOST and RELAY_PORT (SMTP_HOST and SMTP_PORT say the same), and reads neither, or ended "
    "before it came to send.",
    "Have it read them, or hand them on: relaysim validate -- sh -c 'exec my-program --port \"$RELAY_PORT\"'.",
)
"""The diagnosis of a program that sends to another relay, or not at all."""

ACCOUNT = ("user1", "secret")
"""The program's login without --user. The relay then accepts any other login too."""


@click.command(name="validate", options_metavar="[OPTIONS] --")
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED, metavar="CMD...")
@click.option(
    "--scenario",
    type=click.Path(path_type=Path),
    help="Its policy, network, faults and expectations.",
)
@click.option(
    "--tls",
    type=click.Choice(["none", "starttls", "implicit"]),
    help="TLS.  [default: the scenario's, or starttls]",
)
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="NAME:PASSWORD",
    help="A login that is right; without any, every login is.",
)
@click.option(
    "--messages", type=click.IntRange(1), help="So many are to be accepted; any fewer are lost."
)
@click.option(
    "--patience", default=PATIENCE, show_default=True, help="The program is ended after so long."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Lay a dotted scenario key on the scenario.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="The seed of jitter and dropped connections."
)
def validate_program(
    program: Sequence[str],
    scenario: Path | None,
    tls: str | None,
    users: Sequence[str],
    messages: int | None,
    patience: str,
    as_json: bool,
    settings: Sequence[str],
    seed: int | None,
) -> int:
    """Any program against the live relay: it is started on a free port, and the program is run with
    RELAY_HOST, RELAY_PORT, RELAY_USERNAME and RELAY_PASSWORD (the same as SMTP_HOST, ...; RELAY_CA
    and SSL_CERT_FILE for its certificate).

    Status 0 if the scenario's expectations hold. Without any: no incident, nothing lost, at least
    one message accepted, and the program ends with status 0. What it prints goes to stderr.
    """
    loaded = (
        load_scenario(scenario, settings, seed) if scenario else scenario_of(None, settings, seed)
    )
    strict = not loaded.expectations
    if strict:
        loaded = replace(
            loaded, expectations=parse_expectations(EXPECTED, loaded.policy.limits, PLACE)
        )
    pairs = users_of(users)
    given_tls = tls
    tls = tls or loaded.network.tls
    wait = _patience(patience)
    with (
        stopped_by_signals(),
        running(scenario=loaded, users=pairs, tls=tls, messages=messages) as relay,
    ):
        username, password = next(iter(pairs.items())) if pairs else ACCOUNT
        ended = run_program(relay, program, wait, username=username, password=password, tls=tls)
    given_patience = None if patience == PATIENCE else patience
    again = _again(
        program,
        scenario,
        [
            ("--tls", given_tls),
            *(("--user", each) for each in users),
            ("--messages", messages),
            ("--patience", given_patience),
            ("--seed", seed),
            *(("--set", each) for each in settings),
        ],
    )
    result = _judged(relay.result(), ended, strict=strict, command=again, program=program)
    if as_json:
        print_json_text(result.to_json())
        click.echo(ended.problem or "the program ended with status 0", err=True)
    else:
        report.table([result], console())
    return status_of([result], [])


def _judged(
    result: Result, ended: Ended, *, strict: bool, command: str, program: Sequence[str]
) -> Result:
    """The live result, completed with how the program ended."""
    passed = result.passed and ended.in_time and (ended.problem is None or not strict)
    return replace(
        result,
        title=Path(program[0]).name,
        sender=cut(shlex.join(program)),
        command=command,
        error=ended.problem,
        passed=passed,
        ended=result.ended if ended.in_time else "aborted",
        diagnosis=result.diagnosis if result.connections.opened else [NEVER],
    )


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP raise SystemExit, so that the program is ended before this process,
    as with Ctrl+C.
    """
    if current_thread() is not main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    ending = [
        each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL
    ]  # nohup ignores SIGHUP, and it stays ignored
    for each in ending:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in ending:
            signal.signal(each, signal.SIG_DFL)


def _again(
    program: Sequence[str], scenario: Path | None, given: Sequence[tuple[str, object]]
) -> str:
    """The command that repeats this call, without passwords."""
    options = [
        part
        for option, value in given
        if value is not None
        for part in (option, _without_password(option, value))
    ]
    own = ["--scenario", scenario.name] if scenario else []
    return shlex.join(["relaysim", "validate", *own, *options, "--", *program])


def _without_password(option: str, value: object) -> str:
    return str(value).partition(":")[0] + ":PASSWORD" if option == "--user" else str(value)


def _patience(text: str) -> float:
    try:
        return max(0.1, units.seconds(units.duration(toml_value(text))))
    except ValueError as error:
        raise ScenarioError(PLACE, "--patience", str(error)) from None
