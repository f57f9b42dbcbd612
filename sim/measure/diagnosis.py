"""The diagnosis: each limit that was hit, in words a person can act on. Knows the rows and the policy, not the strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..records import BlockRow, Incident
from .result import Finding

if TYPE_CHECKING:
    from .assemble import Facts


def diagnose(incidents: Sequence[Incident], accepted: Mapping[str, int], blocks: Sequence[BlockRow], facts: Facts) -> list[Finding]:
    """A finding for each limit that refused something, in the order in which they were first hit."""
    return []
