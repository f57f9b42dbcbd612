"""``relaysim ui``: serves the dashboard on this machine. Knows how to start it, not what is on it."""

from __future__ import annotations

import importlib.util
import sys

import click

from ..errors import ScenarioError
from .status import HOLDS


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8501,
    show_default=True,
    help="Where to listen; 0 takes a free one.",
)
@click.option("--open/--no-open", "open_", default=True, help="Whether to open a browser.")
def ui(port: int, open_: bool) -> int:
    """The dashboard in the browser: explore settings and see what the relay does."""
    if importlib.util.find_spec("streamlit") is None:
        remedy = 'install the extra "ui": pip install "relaysim[ui]", or call make ui'
        raise ScenarioError(
            "command line", "ui", f"the dashboard needs Streamlit, which is not installed; {remedy}"
        )
    from ..ui import serve

    serve.serve(port, headless=not open_ or not sys.stdout.isatty())
    return HOLDS
