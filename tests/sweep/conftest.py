"""A scenario of short runs that the tests of sweeps vary."""

from __future__ import annotations

from pathlib import Path

import pytest

TEXT = """
seed = 7
[workload]
kind = "batch"
messages = 60
[sender]
strategy = "batches"
options = { pause = "0.1s" }
[expect]
"messages.lost" = "== 0"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Sixty messages in batches, in a folder of its own."""
    path = tmp_path / "short.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path
