"""The object that the pytest fixture ``relay`` returns: a live relay for one test.

``opened`` creates it from the test's markers. Knows nothing of pytest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ..errors import ScenarioError, nearest
from ..measure import Result
from ..measure.formatting import number, plural
from ..scenario import load_scenario
from ..schema_base import Table, read
from .program import environment
from .running import Running, running, scenario_of

PLACE = "pytest.mark.relay"

ACCOUNT = ("user1", "secret")
"""A login that the relay accepts, because without ``users`` it accepts any login."""

LOOK_S = 0.02
"""Seconds between two checks in ``wait_for``."""


Port = Annotated[int, Field(ge=0, le=65_535)]


class Asked(Table):
    """The arguments of the marker. The contents of its tables are checked with the scenario that
    they become part of.
    """

    policy: Any = "mailersend"
    settings: Annotated[
        list[str], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)
    ] = Field([], alias="set")
    scenario: (
        Annotated[
            Path, BeforeValidator(lambda given: Path(given) if isinstance(given, str) else given)
        ]
        | None
    ) = None
    network: dict[str, Any] | None = None
    faults: dict[str, Any] | None = None
    expect: dict[str, Any] | None = None
    users: dict[str, str] | None = None
    login: bool = True
    tls: Literal["none", "starttls", "implicit"] | None = None
    tls_port: Port | None = None
    port: Port = 0
    messages: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None


FOR_RUNNING = ("users", "login", "tls", "tls_port", "port", "messages")
"""Arguments that ``running`` takes unchanged."""


class RelayFixture:
    """A relay that runs during one test.

    A program connects with ``host``, ``port``, ``username`` and ``password``, and trusts the file
    ``certificate``. ``env`` has the same as environment variables, for a program that the test
    starts.
    """

    def __init__(self, relay: Running, users: Mapping[str, str] | None, stack: ExitStack) -> None:
        self._relay = relay
        self._stack = stack
        self.host = relay.host
        self.port = relay.port
        self.tls_port = relay.tls_port
        self.certificate = relay.certificate
        self.username, self.password = next(iter(users.items())) if users else ACCOUNT
        self.change = relay.change
        self.forget = relay.forget
        self.refuse_next = relay.refuse_next
        self.refuse_next_login = relay.refuse_next_login
        self.fail_next_login = relay.fail_next_login

    @property
    def result(self) -> Result:
        """The result so far: ``relay.result.incidents.total``."""
        return self._relay.result()

    @property
    def transcripts(self) -> list[list[str]]:
        """The commands and replies of each connection so far: ``[["GREETING 220", "EHLO 250", ...],
        ...]``.
        """
        return self._relay.transcripts()

    @cached_property
    def env(self) -> dict[str, str]:
        """RELAY_HOST, RELAY_PORT, RELAY_USERNAME and RELAY_PASSWORD, the same as SMTP_*, and the
        variables for the certificate.
        """
        names = environment(
            self._relay, self.username, self.password, self._relay.live.settings.tls
        )
        return self._stack.enter_context(names)

    def wait_for(self, messages: int = 1, seconds: float = 10.0) -> None:
        """Waits until this many messages are accepted. Raises AssertionError after ``seconds``."""
        end = time.monotonic() + seconds
        while (accepted := self.result.messages.accepted) < messages:
            if time.monotonic() > end:
                found = plural(accepted, "message")
                raise AssertionError(
                    f"{found} accepted within {number(seconds)} s, waited for "
                    f"{messages:,}\n{self.explained()}"
                )
            time.sleep(LOOK_S)

    def explained(self) -> str:
        """The failed expectations and the diagnosis so far, as lines of text."""
        result = self.result
        missed = [each for each in result.expectations if not each.passed]
        lines = [
            f"expected {each.metric} {each.comparison}: actual {each.actual}" for each in missed
        ]
        for found in result.diagnosis:
            lines += [
                found.limit or "no limit",
                f"  what {found.what}",
                f"  why  {found.why}",
                f"  fix  {found.fix}",
            ]
        return "\n".join(lines)


@contextmanager
def opened(
    marks: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]], folder: Path
) -> Iterator[RelayFixture]:
    """The relay that the marks describe, the nearest mark first. A scenario's path is relative to
    ``folder``.

    Raises ScenarioError for a mistake in a mark.
    """
    asked: dict[str, Any] = {}
    for positional, named in reversed(marks):
        if positional:
            raise ScenarioError(
                PLACE, "", f"takes names alone; write policy={positional[0]!r} or the like"
            )
        asked |= named
    options = _options(asked, folder)
    with ExitStack() as stack, running(transcripts=True, **options) as relay:
        yield RelayFixture(relay, options.get("users"), stack)


def _options(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The arguments for :func:`running`. ``set`` overrides dotted keys, as on the command line."""
    allowed = sorted(field.alias or name for name, field in Asked.model_fields.items())
    for name in asked:
        if name not in allowed:
            raise ScenarioError(
                PLACE, name, f"unknown name{nearest(name, allowed)}; allowed: {', '.join(allowed)}"
            )
    found = read(Asked, asked, PLACE)
    if found.scenario is None:
        tables = {name: getattr(found, name) for name in ("network", "faults", "expect")}
        policy = {"use": found.policy} if isinstance(found.policy, str) else found.policy
        scenario = scenario_of({**tables, "policy": policy}, found.settings, found.seed)
    else:
        tables_too = [name for name in ("policy", "network", "faults", "expect") if name in asked]
        if tables_too:
            raise ScenarioError(PLACE, tables_too[0], "stands in the scenario; lay on it with set=")
        scenario = load_scenario(folder / found.scenario, found.settings, found.seed)
    return {name: asked[name] for name in asked if name in FOR_RUNNING} | {"scenario": scenario}
