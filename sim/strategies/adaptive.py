"""Finds the limits from the replies alone. (Being written.)"""

from __future__ import annotations

from .paced import Paced


class Adaptive(Paced):
    """Finds the limits from the replies alone."""

    options = {}

    def __init__(self) -> None:
        super().__init__(5, "0.505s")
