"""The state that a live relay keeps across a restart: every count and block, in an SQLite file.

The relay's clock continues too: the file has the wall-clock time of its beginning, so a window of
24 hours that began before a restart ends at the right time. The file is written about twice a
second, in its own thread and in a transaction (WAL), so a kill -9 loses at most the last second.
Only keys that changed since the last time are written. Knows nothing of connections.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..errors import ScenarioError
from ..limits import Key, Limit
from ..relay.kinds import KINDS
from ..relay.relay import Relay, numbers_of
from .context import Clock
from .observers import IdleObserver

APPLICATION = 0x52_45_4C_59
"""The file's ``application_id``: RELY."""
VERSION = 1
OFTEN = 0.4
"""Seconds between two writes."""

DAMAGED = "is no state of a relay, or is damaged; name another file"

_SCHEMA = """
CREATE TABLE relay (began INTEGER NOT NULL, reached INTEGER NOT NULL, policy TEXT NOT NULL);
CREATE TABLE held (
    name TEXT NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL, block INTEGER, state TEXT,
    PRIMARY KEY (name, key)
) WITHOUT ROWID;
"""


class Row(NamedTuple):
    """One key's state. ``until`` is the end of all of it, ``block`` the end of its block, in
    microseconds.
    """

    name: str
    key: str
    until: int
    block: int | None
    state: str | None


class Changed(NamedTuple):
    """What to write: new rows of keys, keys that have no state any more, and limits that were
    reset.
    """

    reached: int
    policy: str
    rows: list[Row]
    gone: list[tuple[str, str]]
    reset: list[str]


class State(IdleObserver):
    """A relay's state file. Observes the relay, to know which keys changed. Call ``attach``
    first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = str(path)
        self._asked: dict[str, set[Key]] = {}
        timed = [kind for kind in KINDS.values() if kind.timed]
        self._at_connect = [kind for kind in timed if kind.counts.at == "connect"]
        self._at_login = [kind for kind in timed if kind.counts.at in ("login", "wrong-password")]
        self._at_message = [
            kind for kind in timed if kind not in self._at_connect and kind not in self._at_login
        ]
        self._sessions: dict[int, tuple[str, str | None]] = {}
        self._thread = ThreadPoolExecutor(1, "relaysim state")
        self._relay: Relay
        self._written: Mapping[str, Limit] = {}
        try:
            self._file = sqlite3.connect(
                path, timeout=1.0, check_same_thread=False, isolation_level=None
            )
        except sqlite3.Error as error:
            raise ScenarioError(self._place, "--state", f"cannot be opened: {error}") from None
        with self._let_go_on_error():
            self._prepare()

    def reached(self) -> int:
        """The time at which the relay's clock continues: by the wall clock, but always later than
        the last time it had reached.
        """
        with self._let_go_on_error():
            began, reached, _ = self._header()
            return max(time.time_ns() // 1_000 - began, reached + 1)

    def attach(self, relay: Relay, now: int) -> None:
        """Restores ``relay`` from the file. Raises ScenarioError if the file was written for other
        limits, or cannot be read.
        """
        self._relay = relay
        self._written = dict(relay.limits)
        with self._let_go_on_error():
            _, reached, policy = self._header()
            if policy != _policy_of(relay) and reached:
                raise ScenarioError(
                    self._place,
                    "--state",
                    (
                        "was written under other limits, and their counts mean nothing here; "
                        "name another file"
                    ),
                )
            self._restore(relay, now)

    @contextmanager
    def _let_go_on_error(self) -> Iterator[None]:
        """Closes the file on an error, and raises it as a ScenarioError; also if the file has
        content that no relay writes.
        """
        try:
            yield
        except sqlite3.Error as error:
            self.abandon()
            raise ScenarioError(self._place, "--state", _said(error)) from None
        except (ValueError, TypeError, LookupError, OverflowError):
            self.abandon()
            raise ScenarioError(self._place, "--state", DAMAGED) from None
        except BaseException:
            self.abandon()
            raise

    def _restore(self, relay: Relay, now: int) -> None:
        rows = [
            Row(*row)
            for row in self._file.execute(
                "SELECT name, key, until, block, state FROM held WHERE until > ?", [now]
            )
        ]
        for row in sorted(rows, key=lambda row: row.block or 0):
            if row.block is not None:
                relay.restore(row.name, _key(row.key), row.block, None, now)
        states = [(json.loads(row.state), row) for row in rows if row.state is not None]
        for state, row in sorted(states, key=lambda pair: pair[0][0]):
            relay.restore(row.name, _key(row.key), None, tuple(state), now)

    async def keep_writing(self, clock: Clock) -> None:
        """Writes changes again and again, until cancelled. If that fails it prints so once, and
        keeps trying.
        """
        loop = asyncio.get_running_loop()
        reported = False
        while True:
            await asyncio.sleep(OFTEN)
            changed = self.changed(clock.now())
            try:
                await asyncio.shield(loop.run_in_executor(self._thread, self._write, changed))
            except sqlite3.Error as error:
                for name, text in (*((row.name, row.key) for row in changed.rows), *changed.gone):
                    self._ask(name, _key(text))
                if not reported:
                    print(
                        f"relaysim: {self._place} cannot be written: {error}; trying again",
                        file=sys.stderr,
                    )
                reported = True

    def close(self, now: int) -> None:
        """Writes the last changes and closes the file."""
        self._thread.shutdown()
        try:
            self._write(self.changed(now))
        except sqlite3.Error as error:
            print(
                (
                    f"relaysim: {self._place} cannot be written: {error}; its last second or "
                    "more is lost"
                ),
                file=sys.stderr,
            )
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Closes the file without writing."""
        self._thread.shutdown()
        self._file.close()

    def changed(self, now: int) -> Changed:
        """The keys that changed since the last call, with their state now. Call it in the relay's
        thread.
        """
        relay = self._relay
        asked = self._asked
        self._asked = {}
        reset = [
            name for name, limit in self._written.items() if relay.limits.get(name) is not limit
        ]
        self._written = dict(relay.limits)
        rows = []
        gone = []
        for name, keys in asked.items():
            limit = relay.limits.get(name)
            if limit is None:
                continue
            for key in keys:
                row = _row(limit, key, now)
                if row is None:
                    gone.append((name, _text(key)))
                else:
                    rows.append(row)
        return Changed(now, _policy_of(relay), rows, gone, reset)

    # The events that change a count.

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """Notes the keys of limits that count connections."""
        for kind in self._at_connect:
            self._ask(kind.name, kind.for_each.key(connection, ip, None))
        if self._at_message:
            self._sessions[connection] = (ip, None)

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """Notes the keys of limits that count logins. A success changes only consecutive counts."""
        for kind in self._at_login:
            if outcome != "accepted" or kind.consecutive or not kind.failures:
                self._ask(kind.name, kind.for_each.key(connection, ip, username))
        if self._at_message:
            self._sessions[connection] = (ip, username)

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """Notes the keys of limits that count messages or commands."""
        if self._at_message:
            self._ask_for_messages(connection)

    def closed(self, at: int, connection: int) -> None:
        """Notes the keys of limits that counted a transaction without an accepted message."""
        if self._at_message:
            self._ask_for_messages(connection)
            self._sessions.pop(connection, None)

    # The file.

    def _ask_for_messages(self, connection: int) -> None:
        ip, username = self._sessions.get(connection, ("", None))
        for kind in self._at_message:
            self._ask(kind.name, kind.for_each.key(connection, ip, username))

    def _ask(self, name: str, key: Key) -> None:
        keys = self._asked.get(name)
        if keys is None:
            self._asked[name] = {key}
        else:
            keys.add(key)

    def _prepare(self) -> None:
        """Creates the tables in an empty file; refuses a file that is not ours, or in use."""
        file = self._file
        file.execute("PRAGMA locking_mode = EXCLUSIVE")
        (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (application,), (version,) = (
            file.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        if tables and application != APPLICATION:
            raise ScenarioError(
                self._place, "--state", "is a database, but no state of a relay; name another file"
            )
        if tables and version != VERSION:
            raise ScenarioError(
                self._place, "--state", "is of another version of relaysim; name another file"
            )
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        file.execute("BEGIN EXCLUSIVE")
        if not tables:
            file.execute(f"PRAGMA application_id = {APPLICATION}")
            file.execute(f"PRAGMA user_version = {VERSION}")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                file.execute(statement)
            file.execute("INSERT INTO relay VALUES (?, 0, '')", [time.time_ns() // 1_000])
        file.execute("COMMIT")

    def _header(self) -> tuple[int, int, str]:
        found: tuple[int, int, str] = self._file.execute(
            "SELECT began, reached, policy FROM relay"
        ).fetchone()
        return found

    def _write(self, changed: Changed) -> None:
        file = self._file
        file.execute("BEGIN")
        try:
            file.executemany("DELETE FROM held WHERE name = ?", [(name,) for name in changed.reset])
            file.executemany("DELETE FROM held WHERE name = ? AND key = ?", changed.gone)
            file.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)", changed.rows)
            file.execute("DELETE FROM held WHERE until <= ?", [changed.reached])
            file.execute(
                "UPDATE relay SET reached = ?, policy = ?", [changed.reached, changed.policy]
            )
            file.execute("COMMIT")
        except sqlite3.Error:
            if file.in_transaction:
                file.execute("ROLLBACK")
            raise


def _row(limit: Limit, key: Key, now: int) -> Row | None:
    block, state = limit.state(key, now)
    if block is None and state is None:
        return None
    until = max(block or 0, state[0] if state else 0)
    return Row(limit.name, _text(key), until, block, None if state is None else json.dumps(state))


def _text(key: Key) -> str:
    return json.dumps(key)


def _key(text: str) -> Key:
    found = json.loads(text)
    return tuple(found) if isinstance(found, list) else found


def _policy_of(relay: Relay) -> str:
    return json.dumps(numbers_of(relay.policy), sort_keys=True)


def _said(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return "is in use by another relay; name another file"
    if "not a database" in text or "malformed" in text:
        return DAMAGED
    return f"cannot be used: {text}"
