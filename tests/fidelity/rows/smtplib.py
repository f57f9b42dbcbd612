"""The rows of Python's smtplib."""

from __future__ import annotations

from functools import partial

from tests.fidelity.row import Row

row = partial(Row, library="smtplib", program="with_smtplib.py", strategy="smtplib")
QUICK = {"rtt": "5ms"}
TWELVE_LOGINS = {"logins_per_username": {"count": 12, "per": "6s"}}
ALWAYS_WRONG = {"wrong_password": {"from": "0s", "until": "1d"}}
STAYS = {"count": 1, "reply": {"code": 451, "then": "stay"}}
EACH = {"per_connection": 1}

ROWS = [
    row(mode="one connection for all", messages=12, quick=True),
    row(
        mode="one connection for all, a policy without the limit",
        messages=40,
        policy={"transactions_per_connection": False},
    ),
    row(
        mode="five a connection, with a pause",
        messages=22,
        options={"per_connection": 5, "pause": "0.2s"},
        quick=True,
    ),
    row(
        mode="six a connection",
        messages=18,
        options={"per_connection": 6},
        network=QUICK,
        quick=True,
    ),
    row(
        mode="six a connection, nothing caught",
        messages=18,
        options={"per_connection": 6, "catch": False},
        network=QUICK,
        quick=True,
    ),
    row(
        mode="one per message, 12 logins in 6 s",
        messages=20,
        options=EACH,
        policy=TWELVE_LOGINS,
        quick=True,
    ),
    row(
        mode="one per message, a wrong password",
        messages=13,
        options=EACH,
        faults=ALWAYS_WRONG,
        quick=True,
    ),
    row(
        mode="one connection for all, a wrong password",
        messages=5,
        faults=ALWAYS_WRONG,
        network=QUICK,
        quick=True,
    ),
    row(
        mode="two a connection, refused in place of the greeting",
        messages=12,
        options={"per_connection": 2},
        policy={"connections_per_ip": 3},
        network=QUICK,
        quick=True,
    ),
    row(
        mode="one connection for all, refused by a 451 that stays",
        messages=6,
        policy={"transactions_per_connection": STAYS},
        network=QUICK,
        quick=True,
    ),
    row(
        mode="its timeout at a slow relay",
        messages=3,
        options={"per_connection": 1, "timeout": 0.3},
        network={"relay_time": "5ms"},
        faults={"slow": {"at": "0s", "for": "1h", "factor": 200}},
        quick=True,
    ),
    row(
        mode="five a connection, STARTTLS",
        messages=20,
        options={"per_connection": 5},
        network={"tls": "starttls"},
        quick=True,
    ),
    row(
        mode="five a connection, implicit TLS",
        messages=20,
        options={"per_connection": 5},
        network={"tls": "implicit"},
    ),
    row(
        mode="one per message, over 120 logins a minute",
        messages=130,
        options=EACH,
        network={"rtt": "30ms"},
    ),
    row(
        mode="one per message, over 120 logins and 300 connections a minute",
        messages=320,
        options=EACH,
        network={"rtt": "20ms"},
    ),
]
