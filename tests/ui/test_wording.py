"""What a person wrote is shown letter by letter."""

from __future__ import annotations

import pytest

from sim.ui.wording import plain, prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![x](http://elsewhere/i.png)", r"\!\[x\]\(http\://elsewhere/i\.png\)"),
        ("<b>$x$ :red[y] `z`", r"\<b\>\$x\$ \:red\[y\] \`z\`"),
        ("two\nlines  and spaces", "two lines and spaces"),
    ],
)
def test_no_sign_is_read_as_markdown(text, shown):
    assert plain(text) == shown


def test_what_is_code_in_our_own_words_is_shown_as_code():
    assert prose("Sends ``size`` messages (a `b`).") == r"Sends `size` messages \(a \`b\`\)\."
