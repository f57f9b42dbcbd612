"""What the snippets in Python share: the loop over batches, and the sleep behind each. Knows no
library.
"""

from __future__ import annotations

from textwrap import indent


def batches(size: int) -> tuple[str, str]:
    """The line of the loop over every ``size`` messages and what it calls them; no loop where 0
    takes all at once.
    """
    if not size:
        return "", "messages"
    if size == 1:
        return "for message in messages:\n", "[message]"
    return f"for start in range(0, len(messages), {size}):\n", f"messages[start : start + {size}]"


def indented(text: str, inside: bool) -> str:
    """``text``, one step to the right if it is ``inside`` a loop."""
    return indent(text, "    ") if inside else text


def sleep(call: str, seconds: float) -> str:
    """The line that sleeps; nothing for no time."""
    return f"{call}({seconds:g})\n" if seconds else ""
