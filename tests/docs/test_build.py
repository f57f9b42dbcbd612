"""The documentation builds without a warning: no broken link and no missing reference."""

from __future__ import annotations

import subprocess
import sys

from tests.docs.pages import ROOT


def test_the_documentation_builds_strictly(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path / "trees"), "docs", str(tmp_path / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    python = (tmp_path / "html" / "generated" / "python.html").read_text(encoding="utf-8")
    assert "load_scenario" in python
    cli = (tmp_path / "html" / "generated" / "cli.html").read_text(encoding="utf-8")
    assert "relaysim validate" in cli
