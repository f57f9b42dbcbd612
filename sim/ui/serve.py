"""Starts the dashboard in this process: on loopback, without statistics, with its colours. Knows
Streamlit's options, no page.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from ..errors import ScenarioError

LOOPBACK = "127.0.0.1"

OPTIONS: dict[str, Any] = {
    "server.address": LOOPBACK,
    "browser.serverAddress": LOOPBACK,
    "browser.gatherUsageStats": False,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 1,
    # a control begins with its value and has it from the session too
    "global.disableWidgetStateDuplicationWarning": True,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.light.primaryColor": "#0067A5",
    "theme.dark.primaryColor": "#1E78BE",
    "theme.baseRadius": "0.5rem",
    "theme.paddingTop": "1rem",
    "theme.paddingBottom": "3rem",
    "theme.sidebar.paddingTop": "0.5rem",
}


def serve(port: int, *, headless: bool) -> None:
    """Serves until it is stopped. ``headless`` opens no browser. ScenarioError if somebody else
    listens on the port.
    """
    if port and not _free(port):
        raise ScenarioError(
            "command line", "--port", f"{port} is taken; name another, or 0 for a free one"
        )
    from streamlit.web import bootstrap

    from . import pages, runs  # read now, so that the first page need not wait for it

    own = Path(pages.__file__)
    script = own.parents[2] / "app.py"
    script = script if script.is_file() else own.parent / "__main__.py"
    options = {**OPTIONS, "server.port": port or free_port(), "server.headless": headless}
    bootstrap.load_config_options({key.replace(".", "_"): value for key, value in options.items()})
    runs.pool()
    # The second parameter of Streamlit's function cannot be named.
    bootstrap.run(str(script), False, [], {})  # noqa: FBT003


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
