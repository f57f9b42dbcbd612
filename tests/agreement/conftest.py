"""One node process for all tests that ask it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.agreement.oracle import FlexibleOracle, why_missing


@pytest.fixture(scope="session")
def flexible() -> Iterator[FlexibleOracle]:
    """The npm package rate-limiter-flexible; skips where it or node is missing, and says so."""
    reason = why_missing()
    if reason:
        pytest.skip(reason)
    with FlexibleOracle() as oracle:
        yield oracle
