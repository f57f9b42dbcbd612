"""The settings of a plan in a library's own language, ready to paste: a module for each library,
with ``snippet(options, ...) -> str``.

Each takes relay and login from the environment: ``RELAY_HOST`` and ``RELAY_PORT`` (without them
MailerSend's relay, port 587), ``RELAY_USERNAME`` and ``RELAY_PASSWORD``. Knows no limit: the
options say it all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

LOOPS: dict[str, str] = {"smtplib": "paced"}
"""Libraries that send one message when told to, so that connections and spacing are the caller's
own loop: the strategy that loop follows. The library's snippet is that loop.
"""

WITH_WORKERS = {"paced"}
"""Modules whose text also says how many workers and usernames there are: they are handed the whole
settings.
"""


def snippet_for(name: str, settings: Mapping[str, Any]) -> str | None:
    """The text for the settings of a plan (strategy, options, workers, usernames, ips); None for a
    name that has no module.
    """
    write = _writer(LOOPS.get(name, name))
    if write is None:
        return None
    return write(settings) if LOOPS.get(name, name) in WITH_WORKERS else write(settings["options"])


def known() -> list[str]:
    """Every name that has a snippet."""
    modules = [path.stem.replace("_", "-") for path in Path(__file__).parent.glob("[a-z]*.py")]
    return sorted({*modules, *LOOPS})


def _writer(name: str) -> Callable[[Mapping[str, Any]], str] | None:
    if name not in known():
        return None
    found: Callable[[Mapping[str, Any]], str] = import_module(
        f".{name.replace('-', '_')}", __name__
    ).snippet
    return found
