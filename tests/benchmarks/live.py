"""The live relay against aiosmtpd: messages a second and CPU time a message, each relay on one core
and the generator on another.

smtp-source of Postfix sends with 20 sessions, a connection a message and kept connections, to
``serve --no-auth`` with the policy ``unlimited``, to aiosmtpd, and to smtp-sink, which shows what
the machine and the generator can do. A driver of our own sends five messages a connection with a
login, to a relay with every limit at work and to aiosmtpd with an authenticator. Then, with
``--memory``, a relay is sent 1,000,000 messages over 200,000 connections and its memory is watched.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.driver import drive

SESSIONS = 20
RELAY_CORE = 0
GENERATOR_CORE = 1
TICKS = os.sysconf("SC_CLK_TCK")
OURS = "relaysim"
PEER = "aiosmtpd"
SINK = "smtp-sink"
LIMITS = [  # all of them counting, none refusing
    "policy.use=mailersend",
    "policy.connections_per_ip.count=1000000000",
    "policy.logins_per_username.count=1000000000",
]


class Speed(NamedTuple):
    """Messages a second, and microseconds of the relay's and the generator's CPU time a message."""

    rate: float
    relay_cpu: float
    generator_cpu: float


def sets(settings: Sequence[str]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def command_of(name: str, *, login: bool, port: int) -> list[str]:
    """What starts a relay on ``port``."""
    if name == OURS:
        policy = sets(LIMITS) if login else ["--no-auth", *sets(["policy.use=unlimited"])]
        return [
            sys.executable,
            "-m",
            "sim",
            "serve",
            "--port",
            str(port),
            "--tls",
            "none",
            "--json",
            *policy,
        ]
    if name == PEER:
        return [
            sys.executable,
            "-m",
            "tests.benchmarks.aiosmtpd_peer",
            str(port),
            *(["login"] if login else []),
        ]
    as_root = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to run as root
    return [found("smtp-sink"), *as_root, f"127.0.0.1:{port}", "4096"]


def found(program: str) -> str:
    """Where ``program`` of Postfix is; Debian has it where only root looks."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None:
        raise SystemExit(f"{program} is not here; install Debian's package postfix")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def relay(name: str, *, login: bool = False) -> Iterator[tuple[int, int]]:
    """The port and process id of a relay that runs on its core."""
    port = free_port()
    command = command_of(name, login=login, port=port)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        os.sched_setaffinity(process.pid, {RELAY_CORE})
        until = time.monotonic() + 60
        while not listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{name} did not start: {shlex.join(command)}")
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM if name == OURS else signal.SIGKILL)
        process.wait(30)


def cpu(pid: int) -> float:
    """Seconds of CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """MB that a process holds."""
    held = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert held
    return int(held[1]) / 1024


def by_smtp_source(name: str, messages: int, *, keep: bool) -> Speed:
    with relay(name) as (port, pid):
        source = [
            found("smtp-source"),
            "-s",
            str(SESSIONS),
            "-l",
            "1024",
            *(["-d"] if keep else []),
        ]
        run(source, port, messages // 10)  # warms up
        before = cpu(pid)
        seconds, own = run(source, port, messages)
        return Speed(messages / seconds, (cpu(pid) - before) / messages * 1e6, own / messages * 1e6)


def run(source: list[str], port: int, messages: int) -> tuple[float, float]:
    """Seconds that it took and seconds of CPU time."""
    pinned = [
        "taskset",
        "-c",
        str(GENERATOR_CORE),
        *source,
        "-m",
        str(messages),
        f"127.0.0.1:{port}",
    ]
    before = os.times()
    begun = time.monotonic()
    subprocess.run(pinned, check=True, stdout=subprocess.DEVNULL, timeout=600)
    after = os.times()
    own = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return time.monotonic() - begun, own


def by_driver(name: str, messages: int) -> Speed:
    """Five a connection, with a login."""
    with relay(name, login=True) as (port, pid):
        drive(port, messages // 10, sessions=SESSIONS)
        before = cpu(pid)
        own = time.process_time()
        begun = time.monotonic()
        sent = drive(port, messages, sessions=SESSIONS, first=messages)
        seconds = time.monotonic() - begun
        own = time.process_time() - own
        assert sent == messages, f"{name} accepted {sent} of {messages}"
        return Speed(messages / seconds, (cpu(pid) - before) / messages * 1e6, own / messages * 1e6)


def compare(
    title: str, names: Sequence[str], measure: Callable[[str], Speed], rounds: int, least: float
) -> bool:
    """Prints a table of medians; whether ours is ``least`` times the peer."""
    found: dict[str, list[Speed]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(measure(name))
    print(f"\n{title}\n  {'':12}{'messages/s':>12}{'CPU us a message':>18}{'the generator':>15}")
    middle = {
        name: Speed(*map(statistics.median, zip(*speeds, strict=True)))
        for name, speeds in found.items()
    }
    for name, speed in middle.items():
        print(f"  {name:12}{speed.rate:12,.0f}{speed.relay_cpu:18,.0f}{speed.generator_cpu:15,.0f}")
    ratio = middle[OURS].rate / middle[PEER].rate
    by_cpu = middle[PEER].relay_cpu / middle[OURS].relay_cpu
    print(
        f"  {ratio:.2f} times {PEER}'s messages a second (at least {least:g} wanted), {by_cpu:.2f} times by CPU time"
    )
    busy = middle[OURS].relay_cpu * middle[OURS].rate / 1e6
    print(
        f"  relaysim's core was busy {busy:.0%} of the time, the generator's {middle[OURS].generator_cpu * middle[OURS].rate / 1e6:.0%}"
    )
    return ratio >= least


def watch_memory(messages: int) -> bool:
    """Five a connection until ``messages`` are sent; prints MB after each tenth."""
    print(
        f"\nmemory over {messages:,} messages and {messages // 5:,} connections, with logins and limits"
    )
    with relay(OURS, login=True) as (port, pid):
        held = []
        for part in range(1, 11):
            drive(port, messages // 10, sessions=SESSIONS, first=part * messages)
            held.append(memory(pid))
            print(f"  {messages * part // 10:>10,} messages: {held[-1]:.1f} MB", flush=True)
    grown = max(held[1:]) - held[0]
    print(f"  {grown:.1f} MB more than after the first tenth")
    return grown < 0.25 * held[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--memory",
        type=int,
        default=0,
        metavar="MESSAGES",
        help="also watch memory over so many messages",
    )
    given = parser.parse_args()
    os.sched_setaffinity(0, {GENERATOR_CORE})
    count = given.messages
    rounds = given.rounds
    print(
        f"relays on core {RELAY_CORE}, generator on core {GENERATOR_CORE}; medians of {rounds} rounds of {count:,} messages"
    )
    three = (OURS, PEER, SINK)
    kept = [
        compare(
            "smtp-source, a connection a message",
            three,
            lambda name: by_smtp_source(name, count, keep=False),
            rounds,
            3,
        ),
        compare(
            "smtp-source, kept connections (-d)",
            three,
            lambda name: by_smtp_source(name, count, keep=True),
            rounds,
            3,
        ),
        compare(
            "five a connection, login and limits",
            (OURS, PEER),
            lambda name: by_driver(name, count),
            rounds,
            2,
        ),
    ]
    if given.memory:
        kept.append(watch_memory(given.memory))
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
