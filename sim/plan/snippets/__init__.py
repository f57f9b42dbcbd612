"""Snippets of a person's own language for the settings of a plan: one file a library, each with ``snippet(settings) -> str``.

``settings`` are the plan's: strategy, options, workers, usernames, ips. A library whose settings are searched in the options of
its own model has them spelt its own way there. Knows nothing of how settings are found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import smtplib

SNIPPETS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "smtplib": smtplib.snippet,
    "paced": smtplib.snippet,
}
"""By the name that ``--for`` takes."""
