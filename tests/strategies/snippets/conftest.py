"""The live relay's certificate is made in a folder of its own here too."""

from tests.live.conftest import cache

__all__ = ["cache"]
