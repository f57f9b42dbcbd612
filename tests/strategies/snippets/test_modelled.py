"""The snippets for libraries that cannot run here: they contain the options, in valid PHP and
shell.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.strategies.snippets.text import text_of


def test_wp_mail_smtp_names_its_limits():
    text = text_of("wp-mail-smtp", {"rate_limit": True, "minute": 80, "day": 2_000})
    assert "Email Rate Limiting: on, 80 a minute, 2000 a day" in text
    assert "Rate Limiting" not in text_of("wp-mail-smtp", {"minute": 80})
    with pytest.raises(ValueError, match="max_children = 0"):
        text_of("wp-mail-smtp", {"max_children": 0})


def test_wp_mail_smtp_is_php(tmp_path):
    if not shutil.which("php"):
        pytest.skip("needs php")
    program = tmp_path / "wp-config.php"
    program.write_text(
        "<?php\n"
        + text_of("wp-mail-smtp", {"rate_limit": True, "minute": 80})
        + "echo WPMS_SMTP_PORT;\n"
    )
    done = subprocess.run(
        ["php", str(program)], capture_output=True, text=True, timeout=600, check=True
    )
    assert done.stdout == "587"


def test_listmonk_contains_the_options():
    text = text_of(
        "listmonk",
        {"idle_timeout": "1s", "message_sliding_window": True, "message_sliding_window_rate": 40},
    )
    assert '"idle_timeout": "1s"' in text
    assert '"app.message_sliding_window": true' in text
    assert '"app.message_sliding_window_rate": 40' in text
    assert not re.search(r"\{\{|\}\}", text), "nothing is left of the form"
    subprocess.run(["sh", "-n", "-c", text], check=True, timeout=600)
    with pytest.raises(ValueError, match="max_conns = 0"):
        text_of("listmonk", {"max_conns": 0})
