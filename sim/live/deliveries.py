"""Tracks the messages of a live relay: counts them and, on request, writes each accepted message to
a file. Nothing is relayed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import ScenarioError
from ..measure import StreamingRecorder
from ..smtp.lines import Body


class DeliveryLog:
    """Implements ``sim.relay.wire.Notes``. Without a ``folder`` no message is kept."""

    def __init__(self, tally: StreamingRecorder, folder: Path | None) -> None:
        self._folder = folder
        self.not_sent = tally.not_sent
        self.named = tally.named
        self._sent_to = tally.sent_to
        self._number = 0 if folder is None else _last_number(folder)
        self._failed = False

    def sent(self, recipient: str, body: Body) -> None:
        """A message was accepted; ``recipient`` is its first one."""
        self._sent_to(recipient)
        if self._folder is not None and not self._failed:
            self._keep(self._folder, body.head)

    def _keep(self, folder: Path, content: bytes) -> None:
        self._number += 1
        # The name is a number: no text that a sender chose becomes part of a path.
        path = folder / f"{self._number:08}.eml"
        try:
            with path.open("xb") as file:
                file.write(content)
        except OSError as error:
            self._failed = True
            print(
                f"relaysim: {path} cannot be written: {error.strerror}; no more messages are kept",
                file=sys.stderr,
            )


def _last_number(folder: Path) -> int:
    """The highest number among the files in ``folder``, which is created if it does not exist."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return max(
            (int(path.stem) for path in folder.glob("*.eml") if path.stem.isdecimal()), default=0
        )
    except OSError as error:
        raise ScenarioError(
            str(folder), "--keep", f"cannot be written: {error.strerror or error}"
        ) from None
