"""The rows of aiosmtplib."""

from __future__ import annotations

from functools import partial

from tests.fidelity.row import Row

row = partial(Row, library="aiosmtplib", program="with_aiosmtplib.py", strategy="aiosmtplib")
QUICK = {"rtt": "5ms"}
FAR = {"rtt": "50ms"}
"""Where there is much at once, so that the time is the network's more than this machine's."""
ALWAYS_WRONG = {"wrong_password": {"from": "0s", "until": "1d"}}
STAYS = {"transactions_per_connection": {"count": 1, "reply": {"code": 451, "then": "stay"}}}

ROWS = [
    row(mode="send", messages=12, quick=True),
    row(mode="send, STARTTLS", messages=6, network={"tls": "starttls"}, quick=True),
    row(mode="send, implicit TLS", messages=6, network={"tls": "implicit"}),
    row(
        mode="send, 12 logins in 6 s",
        messages=20,
        policy={"logins_per_username": {"count": 12, "per": "6s"}},
        quick=True,
    ),
    row(mode="send, a wrong password", messages=13, faults=ALWAYS_WRONG, network=QUICK, quick=True),
    row(
        mode="send, refused in place of the greeting",
        messages=8,
        policy={"connections_per_ip": 3},
        network=QUICK,
        quick=True,
    ),
    row(
        mode="send, its timeout at a slow relay",
        messages=3,
        options={"timeout": 0.3},
        network={"relay_time": "5ms"},
        faults={"slow": {"at": "0s", "for": "1h", "factor": 200}},
        quick=True,
    ),
    row(mode="a client reused for all", messages=12, options={"per_connection": 0}, quick=True),
    row(
        mode="a client for every five, with a pause",
        messages=22,
        options={"per_connection": 5, "pause": "0.2s"},
        quick=True,
    ),
    row(
        mode="a client reused for all, a wrong password",
        messages=4,
        options={"per_connection": 0},
        faults=ALWAYS_WRONG,
    ),
    row(
        mode="a client for every two, refused in place of the greeting",
        messages=12,
        options={"per_connection": 2},
        policy={"connections_per_ip": 3},
        network=QUICK,
    ),
    row(
        mode="a client reused for all, refused by a 451 that stays",
        messages=4,
        options={"per_connection": 0},
        policy=STAYS,
        network=QUICK,
        quick=True,
    ),
    row(
        mode="four tasks, a client for every five",
        messages=60,
        options={"gather": 4, "per_connection": 5},
        quick=True,
    ),
    row(
        mode="four tasks, a client each for all",
        messages=60,
        options={"gather": 4, "per_connection": 0},
    ),
    row(
        mode="four tasks, a wrong password", messages=16, options={"gather": 4}, faults=ALWAYS_WRONG
    ),
    row(
        mode="ten tasks, 30 logins in 30 s",
        messages=50,
        options={"gather": 10},
        policy={"logins_per_username": {"count": 30, "per": "30s"}},
        network={"rtt": "30ms"},
        calibration_messages=50,
        quick=True,
    ),
    row(
        mode="ten tasks, over 120 logins a minute",
        messages=150,
        options={"gather": 10},
        network=FAR,
        calibration_messages=150,
    ),
    row(
        mode="all at once, refused in place of the greeting",
        messages=50,
        options={"gather": 0},
        policy={"connections_per_ip": 30},
        network=FAR,
        calibration_messages=50,
        quick=True,
    ),
    row(
        mode="all at once, over 120 logins a minute",
        messages=130,
        options={"gather": 0},
        network=FAR,
        calibration_messages=130,
    ),
]
