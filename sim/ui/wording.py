"""Text for the page: what a person wrote is shown as it stands, never read as Markdown. Knows
nothing of results.
"""

from __future__ import annotations

import re

_SIGNS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:&])")


def prose(text: str) -> str:
    """Our own text, in which ``twice`` quoted words are code; all else as it stands."""
    parts = re.split(r"``([^`]+)``", text)
    return "".join(
        f"`{part}`" if place % 2 else _SIGNS.sub(r"\\\1", part) for place, part in enumerate(parts)
    )


def plain(text: str) -> str:
    """``text`` so that Markdown shows it letter by letter: no link, no image, no formula can come
    of it.
    """
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))
