"""A result as files to take away: JSON, CSV, figures and the scenario itself. Each is made when it
is asked for.
"""

from __future__ import annotations

import io

import streamlit as st
from matplotlib.figure import Figure

from ..measure.story import Life
from ..report import exports, figures
from ..report.files import names
from ..scenario.toml import to_toml
from .frame import Shown

MOST_LIVES = 30


def row(shown: Shown) -> None:
    """The buttons."""
    result = shown.told.result
    name = names([result.scenario])[0]
    files = (
        ("JSON", f"{name}.json", "application/json", lambda: result.to_json() + "\n"),
        (
            "Incidents as CSV",
            f"{name}.incidents.csv",
            "text/csv",
            lambda: exports.incidents(result),
        ),
        (
            "Throughput as PNG",
            f"{name}.throughput.png",
            "image/png",
            lambda: png(figures.throughput(result)),
        ),
        (
            "Windows as PNG",
            f"{name}.windows.png",
            "image/png",
            lambda: png(figures.windows(result, shown.scenario.policy)),
        ),
        (
            "Connections as PNG",
            f"{name}.timeline.png",
            "image/png",
            lambda: png(figures.timeline(_lives(shown), result.title)),
        ),
        ("Scenario as TOML", f"{name}.toml", "application/toml", lambda: to_toml(shown.tables)),
    )
    with st.container(horizontal=True, gap="small", key="downloads"):
        for label, file, mime, make in files:
            st.download_button(
                label,
                make,
                file,
                mime,
                key=f"get:{file.partition('.')[2]}",
                icon=":material/download:",
                type="tertiary",
                on_click="ignore",
            )


def _lives(shown: Shown) -> list[Life]:
    return shown.told.story.lives(0, MOST_LIVES) if shown.told.story else []


def png(figure: Figure) -> bytes:
    """The figure as it stands in the files of `relaysim run --out`."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
