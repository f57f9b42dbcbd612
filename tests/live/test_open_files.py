"""More connections than open files allowed: the relay raises its limit as far as possible, warns if
that is not enough, and further connections wait.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import subprocess
import sys

import pytest

from sim.live.listeners import Shortage, raise_limit
from tests.live.peer import EHLO, LOGIN, MESSAGE, QUIT, Peer, until
from tests.live.served import Served


def in_a_process(soft: int, hard: int) -> str:
    """The warning in a process with these limits, and its soft limit afterwards."""
    text = (
        "import resource; from sim.live.listeners import raise_limit\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "print(raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=600
    ).stdout


def test_the_soft_limit_is_raised_as_far_as_the_hard_one_allows():
    assert in_a_process(300, 4_000) == "None 4000\n"
    told = in_a_process(300, 600)
    assert told.startswith("at most 600 files may be open at once")
    assert told.endswith(" 600\n")


def test_nothing_is_lowered():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= before[0]


def test_who_comes_when_no_file_is_left_waits_and_is_served_then():
    relay = Served("--tls", "none", "--set", "policy.use=unlimited", files=100)
    try:
        until(lambda: any("at most 100 files" in line for line in relay.lines), "the warning")
        peers = [Peer(relay.port, greeted=False) for _ in range(150)]
        until(
            lambda: any("no more connections for now" in line for line in relay.lines),
            "the shortage reported",
        )
        assert peers[0].codes(1) == [220]
        assert peers[0].ask(EHLO + LOGIN + MESSAGE + QUIT, 7)[-1] == 221
        for peer in peers[1:90]:
            peer.sock.close()
        assert peers[-1].codes(1) == [220]
        assert peers[-1].ask(EHLO + LOGIN + MESSAGE + QUIT, 7)[-1] == 221
        for peer in peers:
            peer.sock.close()
        status, result = relay.stopped()
    finally:
        relay.close()
    assert status == 0
    assert result["messages"]["accepted"] + result["messages"]["duplicated"] == 2
    assert "Traceback" not in "".join(relay.lines)


def test_the_shortage_is_told_once_and_anything_else_as_asyncio_does(
    capsys: pytest.CaptureFixture[str], caplog
):
    handler = Shortage()
    loop = asyncio.new_event_loop()
    try:
        for _ in range(3):
            handler(
                loop,
                {"exception": OSError(errno.EMFILE, "Too many open files"), "message": "accept"},
            )
        handler(loop, {"exception": ValueError("other"), "message": "something else"})
    finally:
        loop.close()
    assert capsys.readouterr().err.count("no more connections for now: Too many open files") == 1
    assert "something else" in caplog.text
