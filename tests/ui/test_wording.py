"""What a person wrote is shown letter by letter."""

from __future__ import annotations

import pytest

from sim.ui.wording import plain


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
