"""Values, names and exceptions as one printable line of text, cut to a length that fits a message.

Used by every module that quotes a value of the user's in an error, a log or a table.
"""

from __future__ import annotations

import os


def cut(text: str, length: int = 60) -> str:
    """``text``, with its end replaced by ``...`` where it is longer than ``length`` characters."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def shown(value: object) -> str:
    """A value as the user wrote it in TOML, in one line and cut to 60 characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cut(one_line(f'"{value}"') if isinstance(value, str) else _repr(value))


def one_line(text: str) -> str:
    """``text`` with line ends and unprintable characters escaped, so that an error is one line."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def raised(error: BaseException) -> str:
    """The type and the text of a foreign exception, in one line; the text is cut to 300 characters.

    One that cannot be turned into text is named by its type only.
    """
    kind = type(error).__name__
    try:
        text = str(error)
    except Exception:  # its __str__ is the user's code
        return kind
    text = one_line(cut(text, 300))
    return f"{kind}: {text}" if text else kind


def printable(name: str) -> str:
    """A file name as text in any locale; bytes that are not UTF-8 become the replacement sign."""
    return os.fsencode(name).decode("utf-8", "replace")


def _repr(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):
        # Python refuses to print an integer of thousands of digits, or tables nested without end.
        kind = "number" if isinstance(value, int) else "value"
        return f"a {kind} that is far too long"
