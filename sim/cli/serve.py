"""``relaysim serve``: the live relay on a port.

Reads the options, starts ``LiveRelay`` and prints; ``sim.live`` runs the relay.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from .. import report, units
from ..errors import ScenarioError
from ..live import LiveRelay, Settings, scenario_of, with_port
from ..live.listeners import Shortage, raise_limit
from ..measure import Result
from ..scenario import Scenario, load_scenario
from ..scenario.toml import toml_value
from ..text import shown
from .common import console, print_json_text, status_of
from .watching import Watching

PORT = click.IntRange(0, 65_535)


@click.command()
@click.argument("scenario", required=False, type=click.Path(path_type=Path))
@click.option(
    "--port", type=PORT, default=2525, show_default=True, help="The port; 0 is any free one."
)
@click.option(
    "--tls",
    type=click.Choice(["none", "starttls", "implicit"]),
    help="TLS there.  [default: the scenario's, or starttls]",
)
@click.option("--tls-port", type=PORT, help="A second port, with implicit TLS; 0 is any free one.")
@click.option(
    "--bind",
    multiple=True,
    default=["127.0.0.1"],
    show_default=True,
    help="Address to listen on; may be given again.",
)
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="NAME:PASSWORD",
    help="A login that is right; without any, every login is.",
)
@click.option("--no-auth", is_flag=True, help="Take messages without a login.")
@click.option(
    "--plain-auth/--no-plain-auth",
    default=None,
    help="Allow AUTH without TLS.  [default: on loopback only]",
)
@click.option(
    "--messages", type=click.IntRange(1), help="Stop once so many are accepted; any fewer are lost."
)
@click.option(
    "--idle",
    metavar="DURATION",
    help="Stop once nothing has happened for so long, such as 5s; the first connection has a minute at least.",
)
@click.option(
    "--http",
    type=PORT,
    help="HTTP on this port of loopback: health, result, metrics, changes; 0 is any free one.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep counts and blocks in this file, over a restart.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write what is accepted into this folder, as .eml files.",
)
@click.option(
    "--proxy-protocol",
    is_flag=True,
    help="Every connection begins with a header of the PROXY protocol, 1 or 2.",
)
@click.option(
    "--json-log",
    metavar="FILE",
    help="Write every event there as it happens, a JSON object a line; - is stderr.",
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
def serve(
    scenario: Path | None,
    settings: Sequence[str],
    seed: int | None,
    as_json: bool,
    json_log: str | None,
    http: int | None,
    **call: Any,
) -> int:
    """A relay on loopback that enforces a policy for any program that sends; accepts messages and
    relays none.
    """
    loaded = (
        load_scenario(scenario, settings, seed) if scenario else scenario_of(None, settings, seed)
    )
    suffix = [part for setting in settings for part in ("--set", setting)] + (
        [] if seed is None else ["--seed", str(seed)]
    )
    command = shlex.join(["relaysim", "serve", *([scenario.name] if scenario else []), *suffix])
    result = asyncio.run(
        _served(
            _settings(replace(loaded, command=command), senders_known=scenario is not None, **call),
            json_log,
            http,
        )
    )
    if as_json:
        print_json_text(result.to_json())
    else:
        report.table([result], console())
    return status_of([result], [])


def _settings(
    scenario: Scenario,
    *,
    port: int,
    tls: str | None,
    tls_port: int | None,
    bind: Sequence[str],
    users: Sequence[str],
    no_auth: bool,
    plain_auth: bool | None,
    messages: int | None,
    idle: str | None,
    **more: Any,
) -> Settings:
    return Settings(
        scenario,
        users=users_of(users),
        login_required=not no_auth,
        tls=tls or scenario.network.tls,
        port=port,
        tls_port=tls_port,
        bind=tuple(bind),
        plain_auth=plain_auth,
        messages=messages,
        idle=_duration("--idle", idle),
        **more,
    )


def users_of(given: Sequence[str]) -> dict[str, str] | None:
    """The passwords of ``--user`` by username; None without any. Raises ScenarioError for an
    invalid pair or a repeated name.
    """
    pairs: dict[str, str] = {}
    for user in given:
        name, colon, password = user.partition(":")
        if not colon or not name:
            raise ScenarioError(
                "command line", "--user", "is not NAME:PASSWORD; write it like --user user1:secret"
            )
        if name in pairs:
            raise ScenarioError(
                "command line", "--user", f"{shown(name)} is given twice; a name has one password"
            )
        pairs[name] = password
    return pairs or None


def _duration(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = units.duration(toml_value(text))
    except ValueError as error:
        raise ScenarioError("command line", option, str(error)) from None
    if not found:
        raise ScenarioError(
            "command line", option, f"{shown(text)} is no time at all; write 5s, or leave it away"
        )
    return found


async def _served(settings: Settings, json_log: str | None, http: int | None) -> Result:
    """Runs until a signal, or until the relay ends by itself."""
    live = LiveRelay(settings)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    if (few := raise_limit()) is not None:
        print(f"warning: {few}", file=sys.stderr)
    loop.set_exception_handler(Shortage())
    watching = Watching(live, json_log)
    endpoint = None
    if http is not None:
        from ..live.http import Endpoint  # imports aiohttp, which most relays do not need

        endpoint = Endpoint(live, http)
    await live.start()
    try:
        if endpoint is not None:
            await endpoint.start()
        _announce(live, 0 if endpoint is None else endpoint.port)
        watching.begin()
        waits = [loop.create_task(stopped.wait()), loop.create_task(live.finished())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if not (stopped.is_set() or live.tally.opened_count):
            print("nobody has connected", file=sys.stderr)
    finally:
        await live.stop()
        if endpoint is not None:
            await endpoint.stop()
        await watching.end()
    return live.result()


def _announce(live: LiveRelay, http_port: int) -> None:
    """Prints on stderr where the relay listens. Programs that wait for it read these lines."""
    settings = live.settings
    for address in settings.bind:
        print(
            f"listening {with_port(address, live.port)}"
            + (" (implicit TLS)" if settings.tls == "implicit" else ""),
            file=sys.stderr,
        )
        if live.tls_port:
            print(f"listening {with_port(address, live.tls_port)} (implicit TLS)", file=sys.stderr)
    if http_port:
        print(f"http://127.0.0.1:{http_port}/", file=sys.stderr)
    if not settings.on_loopback:
        print(
            f"warning: {', '.join(settings.bind)} is not loopback alone: whoever reaches this machine can send to this relay. "
            "It accepts everything and relays nothing.",
            file=sys.stderr,
        )
    sys.stderr.flush()
