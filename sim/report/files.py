"""Results as files in a folder: JSON, CSV, PNG and one junit.xml. Knows the names of files, not
what is in them.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from ..errors import ScenarioError
from ..measure.result import Result
from ..relay.policy import Policy
from . import exports, figures


def write_all(
    pairs: Sequence[tuple[Result, Policy]], folder: Path, mistakes: Sequence[ScenarioError] = ()
) -> list[Path]:
    """Writes NAME.json, NAME.incidents.csv and three figures for each result, and junit.xml;
    returns what it wrote, in order.

    The folder is made where it is missing. Results of the same name become NAME, NAME-2 and so on,
    in the order of ``pairs``. ``mistakes`` are scenarios that could not run: errors in junit.xml.
    OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, (result, policy) in zip(
        names([result.scenario for result, _ in pairs]), pairs, strict=True
    ):
        written += _write(result, policy, folder, name)
    written.append(
        _text(folder / "junit.xml", exports.document([result for result, _ in pairs], mistakes))
    )
    return written


def names(scenarios: Sequence[str]) -> list[str]:
    """A file name for each scenario, no two alike even where case does not count."""
    taken: set[str] = set()
    result = []
    for scenario in scenarios:
        plain = re.sub(r"[^\w.+-]+", "-", scenario).strip(".-") or "scenario"
        name = plain
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{plain}-{count}"
        taken.add(name.lower())
        result.append(
            os.fsdecode(name.encode("utf-8"))
        )  # in a locale without these signs, as the bytes that they are
    return result


def _write(result: Result, policy: Policy, folder: Path, name: str) -> list[Path]:
    return [
        _text(folder / f"{name}.json", result.to_json() + "\n"),
        _text(folder / f"{name}.incidents.csv", exports.incidents(result)),
        _figure(folder / f"{name}.throughput.png", figures.throughput(result)),
        _figure(folder / f"{name}.windows.png", figures.windows(result, policy)),
        _figure(folder / f"{name}.connections.png", figures.connections(result)),
    ]


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def _figure(path: Path, figure: Figure) -> Path:
    # matplotlib would write its version into the file; without, the same result gives the same
    # bytes.
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing"
        )  # a title in Japanese shows boxes: no mistake of anybody's
        figure.savefig(path, metadata={"Software": None})
    return path
