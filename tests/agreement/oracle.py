"""Outside oracles for the limits: two public rate-limit libraries, asked what they would say to a
list of timed requests.

:class:`FlexibleOracle` is the npm package rate-limiter-flexible in a node process of its own: the
``fixed`` window, the blocks, and the login flow of its documentation's worked example, whose
numbers the relay's article has. Ask for it by the fixture ``flexible``, which starts one process
for the session and skips where node or the package is missing::

    def test_something(flexible):
        limits = {"connections_per_ip": Terms(points=300, duration=60_000)}
        requests = [(0, "consume", "connections_per_ip", "198.18.0.1")]
        assert flexible.ask(limits, requests) == [[True, None]]

To drive a whole relay: ``consume`` of ``connections_per_ip`` for a connect, ``login`` for an AUTH,
``consume`` of ``transactions_per_connection`` (duration 0, keyed by the connection) for a MAIL.

:class:`LimitsOracle` is the Python package limits: ``sliding`` and ``sliding-counter``, one limit
an instance.

Both refuse, with a ValueError, questions on which they are known to be inexact themselves. Know
nothing of relaysim.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import patch

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

HERE = Path(__file__).parent
PACKAGES = ("rate-limiter-flexible", "@sinonjs/fake-timers")
LONGEST = 24 * 86_400_000
"""Milliseconds beyond which JavaScript's timers overflow and the package forgets at once."""

PATIENCE = 600
"""Real seconds after which a node process that has not answered is taken for stuck and killed."""


def why_missing() -> str | None:
    """What FlexibleOracle lacks on this machine, in words that say what to do; None if nothing."""
    remedy = "install Node.js 18+ and run npm ci in tests/agreement"
    node = shutil.which("node")
    if node is None:
        return f"needs node: {remedy}"
    version = subprocess.run(
        [node, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=True
    ).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < 18:
        return f"needs node: this one is {version}; {remedy}"
    missing = [
        name for name in PACKAGES if not (HERE / "node_modules" / name / "package.json").is_file()
    ]
    return f"needs node: {', '.join(missing)} not installed; {remedy}" if missing else None


class Terms(NamedTuple):
    """A limit as the package has it: ``points`` per ``duration``, then blocked for ``block``, in
    whole milliseconds.

    A duration of 0 never ends, a block of 0 is none.
    """

    points: int
    duration: int
    block: int = 0


Step = tuple[Any, ...]


class FlexibleOracle:
    """One node process with rate-limiter-flexible's RateLimiterMemory under a faked clock. A
    context manager.
    """

    def __init__(self) -> None:
        command = ["node", "limiter_oracle.js"]
        self._node = subprocess.Popen(
            command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, limits: Mapping[str, Terms], steps: Sequence[Step]) -> list[Any]:
        """The answer to each of ``steps``, with fresh limiters. Times are milliseconds from 0 and
        never go backwards.

        ``(t, "consume", limit, key)``: ``[passed, end of the block if this request began one]``
        ``(t, "blocked", limit, key)``: when a key that went over is let in again, or None ``(t,
        "reset", limit, key)``: None; lifts a block too, which relaysim never asks for ``(t,
        "login", username, ip, right)``: ``[outcome, [[limit, end of the block begun], ...]]``; the
        outcome is ``accepted``, ``failed`` or the limit that refused, of ``logins_per_username``,
        ``failed_logins_per_ip`` and ``failed_logins_per_username_ip``, each of which may be left
        out.
        """
        _check_terms(limits.values())
        _check_times(steps)
        question = {
            "limits": {name: terms._asdict() for name, terms in limits.items()},
            "steps": steps,
        }
        reply = self._exchange(json.dumps(question))
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return list(reply["answers"])

    def close(self) -> None:
        """Ends the process."""
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.close()
        try:
            self._node.wait(PATIENCE)
        finally:
            self._node.kill()
            self._node.stdout.close()

    def __enter__(self) -> FlexibleOracle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(self, line: str) -> dict[str, Any]:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        watchdog = threading.Timer(PATIENCE, self._node.kill)
        watchdog.start()
        try:
            self._node.stdin.write(line + "\n")
            self._node.stdin.flush()
            reply = self._node.stdout.readline()
        finally:
            watchdog.cancel()
        if not reply:
            raise RuntimeError(
                f"node ended with {self._node.wait(PATIENCE)} in the middle of a question"
            )
        return dict(json.loads(reply))


def _check_terms(terms: Iterable[Terms]) -> None:
    for points, duration, block in terms:
        if points < 1 or min(duration, block) < 0:
            raise ValueError(
                f"{points} points per {duration} ms, block {block} ms: points from 1, durations from 0"
            )
        for length in (duration, block):
            if length > LONGEST:
                raise ValueError(f"{length} ms is over 24 days, where JavaScript's timers overflow")
            if length / 1000 * 1000 != length:
                raise ValueError(
                    f"{length} ms is not the same after the package has turned it to seconds and back"
                )


def _check_times(steps: Sequence[Step]) -> None:
    times = [step[0] for step in steps]
    if (
        any(type(t) is not int for t in times)
        or times != sorted(times)
        or min(times, default=0) < 0
    ):
        raise ValueError("times are whole milliseconds from 0 on and never go backwards")


class LimitsOracle:
    """One limit by the package limits: ``window`` is ``sliding`` or ``sliding-counter``, ``per``
    whole seconds.

    ``request`` takes the time in whole units of 1/``ticks`` s, from ``per`` on, and each must be a
    multiple of 1/1024 s, which a float holds exactly. For ``sliding`` no two requests of a key may
    be exactly ``per`` apart (the package counts a request of that age, ours does not; ``clashes``
    tells); for ``sliding-counter`` ``per`` is a power of two, else the package's shares of a window
    are rounded.
    """

    def __init__(self, window: str, count: int, per: int, *, ticks: int = 1_000_000) -> None:
        if window == "sliding-counter" and per & (per - 1):
            raise ValueError(
                f"{per} s is not a power of two, so the package would round the shares of its windows"
            )
        strategies = {
            "sliding": MovingWindowRateLimiter,
            "sliding-counter": SlidingWindowCounterRateLimiter,
        }
        self._closed = window == "sliding"
        self._per = per
        self._ticks = ticks
        self._item = RateLimitItemPerSecond(count, per)
        self._limiter = strategies[window](_storage())
        self._seen: defaultdict[str, set[int]] = defaultdict(set)

    def clashes(self, key: object, now: int) -> bool:
        """Whether a request of ``key`` was seen exactly ``per`` before ``now``, on which the
        package disagrees knowingly.
        """
        return self._closed and now - self._per * self._ticks in self._seen[repr(key)]

    def request(self, key: object, now: int) -> bool:
        """Whether the package lets it through."""
        if self.clashes(key, now):
            raise ValueError(f"{now} is exactly {self._per} s after another request of {key!r}")
        self._seen[repr(key)].add(now)
        with self._clock(now):
            return self._limiter.hit(self._item, repr(key))

    def reset(self, key: object, now: int) -> None:
        """Empties the key."""
        with self._clock(now):
            self._limiter.clear(self._item, repr(key))

    def _clock(self, now: int) -> Any:
        """Sets the package's clock, and nobody else's."""
        seconds = now / self._ticks
        if seconds < self._per or now * 1024 % self._ticks:
            raise ValueError(
                f"{now}/{self._ticks} s is before {self._per} s or not a multiple of 1/1024 s"
            )
        return patch("limits.storage.memory.time", SimpleNamespace(time=lambda: seconds))


def _storage() -> MemoryStorage:
    """A storage whose expiry timer, which runs in real time, is stopped, and seems alive so that
    none is started anew.
    """
    storage = MemoryStorage()
    storage.timer.cancel()
    storage.timer.join()
    storage.timer = SimpleNamespace(is_alive=lambda: True)  # type: ignore[assignment]
    return storage
