"""What a live relay remembers over a restart: every count and block, in a file of SQLite that is
written while it runs.

The relay's clock goes on too: the file says when it began, by the wall clock, so a window of 24
hours that was begun before a restart ends when it would have ended. Written about twice a second,
in a thread of its own, in a transaction (WAL): a kill -9 loses the last second at most. Only keys
that were asked about since are written. Knows nothing of connections.
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
from .clock import Clock

APPLICATION = 0x52_45_4C_59
"""``application_id`` of such a file: RELY."""
VERSION = 1
OFTEN = 0.4
"""Seconds between two times of writing."""

DAMAGED = "is no state of a relay, or is damaged; name another file"

_SCHEMA = """
CREATE TABLE relay (began INTEGER NOT NULL, reached INTEGER NOT NULL, policy TEXT NOT NULL);
CREATE TABLE held (
    name TEXT NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL, block INTEGER, state TEXT, PRIMARY KEY (name, key)
) WITHOUT ROWID;
"""


class Row(NamedTuple):
    """What is held of one key; ``until`` is when all of it is over, ``block`` the end of its block;
    microseconds.
    """

    name: str
    key: str
    until: int
    block: int | None
    state: str | None


class Changed(NamedTuple):
    """What is to be written: rows in place of earlier ones, keys of which nothing is left, limits
    that began afresh.
    """

    reached: int
    policy: str
    rows: list[Row]
    gone: list[tuple[str, str]]
    afresh: list[str]


class State:
    """Implements ``sim.relay.Witness``, to know which keys were asked about. ``open`` first,
    ``attach`` then.
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
        """The time of the relay's clock at which it goes on: what the wall clock says, never before
        what it had reached.
        """
        with self._let_go_on_error():
            began, reached, _ = self._told()
            return max(time.time_ns() // 1_000 - began, reached + 1)

    def attach(self, relay: Relay, now: int) -> None:
        """Gives ``relay`` what is held. ScenarioError where that was held under other numbers, or
        cannot be read.
        """
        self._relay, self._written = relay, dict(relay.limits)
        with self._let_go_on_error():
            _, reached, policy = self._told()
            if policy != _policy_of(relay) and reached:
                raise ScenarioError(
                    self._place,
                    "--state",
                    "was written under other limits, and their counts mean nothing here; name another file",
                )
            self._restore(relay, now)

    @contextmanager
    def _let_go_on_error(self) -> Iterator[None]:
        """Closes the file and says what is wrong with it: also where somebody has written into it
        what no relay writes.
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
        """Writes what has changed, again and again, until cancelled; says so once if that cannot be
        done, and goes on trying.
        """
        loop = asyncio.get_running_loop()
        told = False
        while True:
            await asyncio.sleep(OFTEN)
            changed = self.changed(clock.now())
            try:
                await asyncio.shield(loop.run_in_executor(self._thread, self._write, changed))
            except sqlite3.Error as error:
                for name, text in (*((row.name, row.key) for row in changed.rows), *changed.gone):
                    self._ask(name, _key(text))
                if not told:
                    print(
                        f"relaysim: {self._place} cannot be written: {error}; trying again",
                        file=sys.stderr,
                    )
                told = True

    def close(self, now: int) -> None:
        """Writes the last, or says that it cannot, and lets go of the file."""
        self._thread.shutdown()
        try:
            self._write(self.changed(now))
        except sqlite3.Error as error:
            print(
                f"relaysim: {self._place} cannot be written: {error}; its last second or more is lost",
                file=sys.stderr,
            )
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Lets go of the file as it is."""
        self._thread.shutdown()
        self._file.close()

    def changed(self, now: int) -> Changed:
        """What was asked about since the last call, as it is now. In the relay's own thread."""
        relay = self._relay
        asked = self._asked
        self._asked = {}
        afresh = [
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
        return Changed(now, _policy_of(relay), rows, gone, afresh)

    # What the relay reports.

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

    def incident(
        self,
        at: int,
        limit: str,
        code: int | None,
        text: str,
        ip: str,
        username: str | None,
        connection: int,
        message: str | None,
    ) -> None:
        """Not used: the relay has already reported the login, connection or message."""

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """Not used: the relay has already reported the login, connection or message."""

    def closed(self, at: int, connection: int) -> None:
        """Notes what a transaction counted that was not accepted."""
        if self._at_message:
            self._ask_for_messages(connection)
            self._sessions.pop(connection, None)

    # How it is kept.

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
        """Makes the tables in an empty file; refuses one that is another's, or in use."""
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

    def _told(self) -> tuple[int, int, str]:
        found: tuple[int, int, str] = self._file.execute(
            "SELECT began, reached, policy FROM relay"
        ).fetchone()
        return found

    def _write(self, changed: Changed) -> None:
        file = self._file
        file.execute("BEGIN")
        try:
            file.executemany(
                "DELETE FROM held WHERE name = ?", [(name,) for name in changed.afresh]
            )
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
