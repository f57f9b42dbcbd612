"""``relaysim serve`` in a child process, as a user starts it. Can wait for it and measure its
memory.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.peer import PATIENCE, until


class Served:
    """A running relay. ``port`` is set by the constructor, ``lines`` are the lines of its stderr so
    far, and ``files`` limits its open files.
    """

    def __init__(self, *arguments: str, files: int | None = None) -> None:
        command = [sys.executable, "-m", "sim", "serve", "--port", "0", "--json", *arguments]
        if files is not None:
            command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        until(lambda: self._found() or self.process.poll() is not None, "listening")
        found = self._found()
        assert found, "".join(self.lines)
        self.port = int(found[1])

    def stopped(self, number: int = signal.SIGTERM) -> tuple[int, dict[str, Any]]:
        """Sends the signal; returns the exit status and the result."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, dict[str, Any]]:
        """Waits for the end; returns the exit status and the result."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        status = self.process.wait(PATIENCE)
        self._reader.join()
        return status, json.loads(out) if out else {}

    def memory(self) -> int:
        """Bytes of memory that it uses (on Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    def close(self) -> None:
        """Ends the process, in any state."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _found(self) -> re.Match[str] | None:
        return next(
            (
                match
                for line in self.lines
                if (match := re.match(r"listening 127\.0\.0\.1:(\d+)", line))
            ),
            None,
        )

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)  # one by one, because other threads wait for a line


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    """A relay that runs until the block ends."""
    relay = Served(*arguments)
    try:
        yield relay
    finally:
        relay.close()
