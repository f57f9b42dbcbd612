"""Makes the live relay's certificate in a temporary folder, as the tests of ``sim.live`` do."""

from tests.live.conftest import cache

__all__ = ["cache"]
