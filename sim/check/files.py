"""Opens a configuration and tells what kind it is, by its name or by its first words. Knows nothing
of what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import ScenarioError
from .found import Checked
from .judge import KINDS, judge

__all__ = ["KINDS", "check"]

MOST_BYTES = 2_000_000

JAVASCRIPT = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")

SUFFIXES = {".json": "nodemailer", ".py": "django", ".cf": "postfix"}

MESSAGES = 1000

WHAT = {
    "nodemailer": "JSON of Nodemailer's options",
    "django": "a Django settings file",
    "postfix": "a Postfix main.cf",
}


def check(
    file: Path,
    *,
    kind: str | None = None,
    messages: int = MESSAGES,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    command: Sequence[str] = (),
) -> Checked:
    """What the relay would do to a sender with this configuration. ScenarioError for a file that is
    none, and for its kind.
    """
    text = _text(file)
    return judge(
        text,
        str(file),
        kind or kind_of(file, text),
        messages=messages,
        overrides=overrides,
        seed=seed,
        command=command,
    )


def kind_of(file: Path, text: str) -> str:
    """By the name's ending, else by how the text looks."""
    if file.suffix.lower() in SUFFIXES:
        return SUFFIXES[file.suffix.lower()]
    if file.suffix.lower() in JAVASCRIPT or "createTransport(" in text:
        problem = "is JavaScript, which is not read; write the object that createTransport() takes into a file.json"
        raise ScenarioError(str(file), "", problem)
    if text.lstrip().startswith("{"):
        return "nodemailer"
    if re.search(r"^EMAIL_\w+\s*(:[^=\n]*)?=", text, re.MULTILINE | re.ASCII):
        return "django"
    if re.search(
        r"^(relayhost|smtp_\w+|myhostname|default_destination_\w+)\s*=",
        text,
        re.MULTILINE | re.ASCII,
    ):
        return "postfix"
    known = "; ".join(f"{kind}, {what}" for kind, what in WHAT.items())
    raise ScenarioError(
        str(file),
        "",
        f"cannot be told for any kind of configuration; say --kind with one of {known}",
    )


def _text(file: Path) -> str:
    try:
        if file.is_dir():
            raise ScenarioError(str(file), "", "is a folder; name the file")
        with file.open("rb") as opened:
            octets = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ScenarioError(str(file), "", f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the name
        raise ScenarioError(str(file), "", f"cannot be read: {error}") from None
    if len(octets) > MOST_BYTES:
        raise ScenarioError(
            str(file), "", f"is longer than {MOST_BYTES:,} bytes, which no configuration is"
        )
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(
            str(file), "", f"is not UTF-8 text (byte {error.start + 1:,})"
        ) from None
