"""What results are written to, made to endure: a reader that has gone, a full disk, signs that an
encoding lacks, no stream at all.

Knows nothing of commands or results.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from ..errors import ScenarioError

__all__ = ["endure", "utf8"]


class Output(io.FileIO):
    """Stdout, in which nothing that a reader does changes the work: where it has gone, as with ``|
    head``, the rest goes nowhere.

    The status and what ``--out`` writes stay what they would have been. Any other failure is told
    once, in one line.
    """

    def write(self, data: Any, /) -> int:
        """As a file's."""
        try:
            return super().write(data)
        except BrokenPipeError:
            self._discard()
            return memoryview(data).nbytes
        except OSError as error:
            self._discard()
            raise ScenarioError(
                "stdout", "", f"cannot be written: {error.strerror or error}"
            ) from None

    def _discard(self) -> None:
        """What still comes goes nowhere; it would fail again when Python ends, with a traceback."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def endure() -> None:
    """Called once, before anything is written by the console script."""
    if sys.stderr is None:  # closed by the caller, as with 2>&-
        sys.stderr = _nowhere()
    if sys.stdout is None:
        sys.stdout = _nowhere()
    elif sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.flush()
        binary = io.BufferedWriter(Output(sys.stdout.fileno(), "w", closefd=False))
        sys.stdout = io.TextIOWrapper(
            binary,
            encoding=sys.stdout.encoding,
            errors="backslashreplace",
            line_buffering=sys.stdout.isatty(),
        )


def _nowhere() -> TextIO:
    """A stream that lives as long as the process."""
    return Path(os.devnull).open("w", encoding="utf-8")


def utf8() -> None:
    """From here on stdout is UTF-8 whatever the locale, as JSON is; half a surrogate becomes the
    escape that JSON has for it.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
