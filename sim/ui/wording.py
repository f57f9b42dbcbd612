"""Text for the page: what a person wrote is shown as it stands, never read as Markdown. Knows nothing of results."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:&])")


def plain(text: str) -> str:
    """``text`` so that Markdown shows it letter by letter: no link, no image, no formula can come of it."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))
