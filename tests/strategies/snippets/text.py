"""The text of a snippet for one worker, which the tests paste into a program."""

from __future__ import annotations

from collections.abc import Mapping

from sim.strategies.snippets import snippet_for


def text_of(name: str, options: Mapping[str, object]) -> str:
    """The snippet of a library for these options."""
    text = snippet_for(name, {"options": options, "workers": 1, "usernames": 1, "ips": 1})
    assert text is not None, f"{name} has no snippet"
    return text
