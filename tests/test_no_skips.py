"""That RELAYSIM_NO_SKIPS fails a run with a skipped test, names it, and leaves other runs alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PASSES = "def test_passes():\n    assert True\n"
SKIPS = "import pytest\n\ndef test_skips():\n    pytest.skip('needs node')\n"
MODULE_SKIPS = "import pytest\n\npytest.importorskip('no_such_package')\n"


def run(
    folder: Path, *, no_skips: str, workers: int, **files: str
) -> subprocess.CompletedProcess[str]:
    """Pytest in a process of its own, with our conftest.py and these test files."""
    (folder / "conftest.py").write_text((Path(__file__).with_name("conftest.py")).read_text())
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    pytest_alone = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
    ]
    command = [*pytest_alone, "-n", str(workers), str(folder)]
    environment = {**os.environ, "RELAYSIM_NO_SKIPS": no_skips}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_a_skipped_test_fails_the_run_and_is_named(tmp_path, workers):
    done = run(tmp_path, no_skips="1", workers=workers, a=PASSES, b=SKIPS)
    assert done.returncode == 1, done.stdout
    assert "test_b.py::test_skips: Skipped: needs node" in done.stdout


@pytest.mark.parametrize("workers", [0, 2])
def test_a_skipped_module_fails_the_run_too(tmp_path, workers):
    done = run(tmp_path, no_skips="1", workers=workers, a=PASSES, b=MODULE_SKIPS)
    assert done.returncode == 1, done.stdout
    assert "no_such_package" in done.stdout


@pytest.mark.parametrize(
    ("no_skips", "files"),
    [("0", {"a": PASSES, "b": SKIPS}), ("", {"b": SKIPS}), ("1", {"a": PASSES})],
)
def test_other_runs_stay_as_they_are(tmp_path, no_skips, files):
    done = run(tmp_path, no_skips=no_skips, workers=0, **files)
    assert done.returncode == 0, done.stdout
    assert "RELAYSIM_NO_SKIPS" not in done.stdout
