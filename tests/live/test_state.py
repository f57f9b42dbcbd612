"""The state file: counts and blocks survive a restart, a kill -9 and a pause, and invalid files are
refused.
"""

from __future__ import annotations

import json
import shutil
import smtplib
import sqlite3
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

import sim.live
from sim.errors import ScenarioError
from sim.live.state import OFTEN
from tests.live.peer import PATIENCE, until
from tests.live.served import served

POLICY = {
    "use": "mailersend",
    "failed_logins_per_username_ip": 2,
    "logins_per_username": {"count": 6, "per": "1h"},
}


def login(port: int, password: str, username: str = "u") -> int:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.ehlo("me.example")
        client.user = username
        client.password = password
        try:
            return client.auth("PLAIN", client.auth_plain)[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code


def relay_with(file, **more):
    return sim.live.running(
        policy=more.pop("policy", POLICY),
        tls="none",
        users={"u": "right", "v": "right"},
        state=file,
        **more,
    )


def test_counts_and_blocks_go_on_where_they_were(tmp_path):
    file = tmp_path / "state"
    with relay_with(file) as relay:
        assert [login(relay.port, "wrong") for _ in range(3)] == [535, 535, 421]
        assert [login(relay.port, "right", "v") for _ in range(5)] == [235] * 5
        end = round(relay.result().blocks[0].until_s * 1e6) + relay.live.clock.origin
    for _ in range(2):
        with relay_with(file) as relay:
            assert login(relay.port, "right") == 421  # still blocked
            assert relay.result().incidents.log[0].limit == "failed_logins_per_username_ip"
            assert relay.result().duration_s < 60  # only of this run
    with relay_with(file) as relay:
        assert [login(relay.port, "right", "v") for _ in range(2)] == [
            235,
            421,
        ]  # the sixth and the seventh within an hour
    with sqlite3.connect(file) as database:
        (until,) = database.execute(
            "SELECT block FROM held WHERE name = 'failed_logins_per_username_ip'"
        ).fetchone()
    assert until == end


def test_a_window_ends_when_it_would_have_ended(tmp_path, monkeypatch):
    file = tmp_path / "state"
    policy = {"use": "unlimited", "logins_per_username": {"count": 1, "per": "2h"}}
    with relay_with(file, policy=policy) as relay:
        assert [login(relay.port, "right") for _ in range(2)] == [235, 421]
    for hours, code in ((1, 421), (2, 235)):
        later = time.time_ns() + hours * 3_600_000_000_000
        monkeypatch.setattr(
            "sim.live.state.time", SimpleNamespace(time_ns=lambda later=later: later)
        )
        with relay_with(file, policy=policy) as relay:
            assert login(relay.port, "right") == code


def blocks_in_a_copy(file, folder):
    """The number of blocks in the file, read from a copy because the relay locks the file."""
    for end in ("", "-wal"):
        shutil.copy(f"{file}{end}", folder / f"copy{end}")
    with closing(sqlite3.connect(folder / "copy")) as database:
        return database.execute("SELECT count(*) FROM held WHERE block IS NOT NULL").fetchone()[0]


def test_kill_9_loses_a_second_at_most(tmp_path):
    """The file has the state of at most a second before, because the relay writes it about twice a
    second.
    """
    assert OFTEN <= 0.5
    arguments = [
        "--tls",
        "none",
        "--user",
        "u:right",
        "--state",
        str(tmp_path / "state"),
        "--set",
        "policy.failed_logins_per_username_ip=2",
    ]
    with served(*arguments) as relay:
        assert [login(relay.port, "wrong") for _ in range(3)] == [535, 535, 421]
        until(lambda: blocks_in_a_copy(tmp_path / "state", tmp_path), "the block in the file")
        relay.process.kill()
        relay.process.wait()
    with served(*arguments) as relay:
        assert login(relay.port, "right") == 421
        status, result = relay.stopped()
    assert status == 0
    assert result["incidents"]["by_limit"]["failed_logins_per_username_ip"] == 1


def test_what_is_forgotten_or_changed_is_forgotten_in_the_file_too(tmp_path):
    file = tmp_path / "state"
    with relay_with(file) as relay:
        assert [login(relay.port, "wrong") for _ in range(3)] == [535, 535, 421]
        relay.forget()
        assert login(relay.port, "right", "v") == 235
    with relay_with(file) as relay:
        assert login(relay.port, "right") == 235


def test_a_relay_that_ran_for_long_writes_only_what_is_left(tmp_path):
    file = tmp_path / "state"
    policy = {"use": "unlimited", "connections_per_ip": {"count": 5, "per": "50ms"}}
    with relay_with(file, policy=policy) as relay:
        login(relay.port, "right")
        time.sleep(1.2)
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM held").fetchone() == (0,)


def wrong_files(tmp_path):
    text = tmp_path / "text"
    text.write_text("no database\n" * 100)
    other = tmp_path / "other"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE x (y)")
    database.close()
    newer = tmp_path / "newer"
    with relay_with(newer):
        pass
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    return {
        text: "is no state of a relay",
        other: "no state of a relay",
        newer: "another version",
        tmp_path: "cannot be opened",
        tmp_path / "none" / "file": "cannot be opened",
    }


def test_a_file_that_is_no_state_is_told_so(tmp_path):
    for file, said in wrong_files(tmp_path).items():
        with pytest.raises(ScenarioError, match=said) as error, relay_with(file):
            pass
        assert str(error.value).startswith(f"{file}: --state: ")
    assert (tmp_path / "text").read_text().startswith("no database")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM relay",
        "UPDATE relay SET began = 'noon'",
        "UPDATE held SET state = '{'",
        "UPDATE held SET state = '[]'",
        "UPDATE held SET key = 'u'",
        "UPDATE held SET block = 'soon'",
        "UPDATE held SET name = 'another_' || name",
    ],
)
def test_a_state_that_somebody_has_changed_is_told_so(tmp_path, statement):
    file = tmp_path / "state"
    with relay_with(file) as relay:
        login(relay.port, "wrong")
    with sqlite3.connect(file) as database:
        database.execute(statement)
    database.close()
    for _ in range(2):  # and the file is closed
        with (
            pytest.raises(ScenarioError, match="is no state of a relay, or is damaged"),
            relay_with(file),
        ):
            pass


def test_a_file_that_cannot_be_written_at_the_end_costs_no_result(tmp_path, capfd):
    with relay_with(tmp_path / "state") as relay:
        state = relay.live._state
        assert state is not None
        assert login(relay.port, "wrong") == 535
        relay.call(lambda: state._file.execute("PRAGMA query_only = ON"))
    assert relay.result().logins.failed == 1
    assert "cannot be written" in capfd.readouterr().err


def test_a_state_of_other_limits_or_in_use_is_told_so(tmp_path):
    file = tmp_path / "state"
    with relay_with(file) as relay:
        login(relay.port, "right")
        with pytest.raises(ScenarioError, match="in use by another relay"), relay_with(file):
            pass
    with (
        pytest.raises(ScenarioError, match="under other limits"),
        relay_with(file, policy="mailersend"),
    ):
        pass
    replies = {
        **POLICY,
        "failed_logins_per_username_ip": {"count": 2, "reply": {"text": "Another text."}},
    }
    with relay_with(file, policy=replies):
        pass  # a reply changes no count


def test_nothing_is_lost_when_the_file_cannot_be_written_for_a_while(tmp_path, capfd):
    file = tmp_path / "state"
    with relay_with(file) as relay:
        state = relay.live._state
        assert state is not None
        relay.call(lambda: state._file.execute("PRAGMA query_only = ON"))
        assert [login(relay.port, "wrong") for _ in range(3)] == [535, 535, 421]
        said = ""

        def is_told() -> bool:
            nonlocal said
            said += capfd.readouterr().err
            return "cannot be written" in said

        until(is_told, "that it cannot be written")
        time.sleep(3 * OFTEN)  # and it tries again, about as often
        relay.call(lambda: state._file.execute("PRAGMA query_only = OFF"))
    assert (said + capfd.readouterr().err).count("cannot be written") == 1
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT name, key FROM held WHERE block IS NOT NULL").fetchall()
    assert rows == [("failed_logins_per_username_ip", json.dumps(["u", "127.0.0.1"]))]
