"""Example configurations of users, and helpers that write them to files and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.check import check
from sim.cli import main

NODEMAILER = {
    "host": "smtp.mailersend.net",
    "port": 587,
    "secure": False,
    "auth": {"user": "u", "pass": "p"},
}
DJANGO = (
    "EMAIL_HOST = 'smtp.mailersend.net'\nEMAIL_PORT = 587\nEMAIL_USE_TLS = True\n"
    "EMAIL_TIMEOUT = 30\n"
)
POSTFIX = (
    "relayhost = [smtp.mailersend.net]:587\nsmtp_sasl_auth_enable = yes\n"
    "smtp_tls_security_level = encrypt\n"
)


def checked(folder: Path, name: str, text: str, **more: Any) -> Any:
    file = folder / name
    file.write_text(text)
    return check(file, **more)


def nodemailer(folder: Path, more: dict[str, Any] | None = None, /, **options: Any) -> Any:
    return checked(folder, "mail.json", json.dumps(NODEMAILER | options, indent=1), **(more or {}))


def whats(found: Any) -> list[str]:
    return [one.what for one in found.findings]


def call(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err
