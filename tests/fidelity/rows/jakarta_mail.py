"""The rows of Jakarta Mail."""

from __future__ import annotations

from functools import partial

from tests.fidelity.row import Row

row = partial(Row, library="Jakarta Mail", program="JakartaMail.java", strategy="jakarta-mail")
QUICK = {"rtt": "5ms"}
TWELVE_LOGINS = {"logins_per_username": {"count": 12, "per": "6s"}}
ALWAYS_WRONG = {"wrong_password": {"from": "0s", "until": "1d"}}
STAYS = {"transactions_per_connection": {"count": 1, "reply": {"code": 451, "then": "stay"}}}
KEPT = {"mail.smtp.user": "user1"}
ALL = {"per_connection": 0}

ROWS = [
    row(mode="Transport.send", messages=12),
    row(
        mode="Transport.send, the login given to it", messages=12, options={"Authenticator": False}
    ),
    row(
        mode="Transport.send, STARTTLS",
        messages=8,
        network={"tls": "starttls", "rtt": "30ms"},
        quick=True,
    ),
    row(
        mode="Transport.send, implicit TLS", messages=12, network={"tls": "implicit", "rtt": "40ms"}
    ),
    row(
        mode="Transport.send, mechanisms PLAIN LOGIN",
        messages=6,
        options={"mail.smtp.auth.mechanisms": "PLAIN LOGIN"},
    ),
    row(mode="Transport.send, quitwait false", messages=12, options={"mail.smtp.quitwait": False}),
    row(
        mode="Transport.send, 12 logins in 6 s",
        messages=20,
        policy=TWELVE_LOGINS,
        network={"rtt": "10ms"},
    ),
    row(
        mode="Transport.send, the Session keeps the login, 12 logins in 6 s",
        messages=18,
        options=KEPT,
        policy=TWELVE_LOGINS,
        network=QUICK,
        quick=True,
    ),
    row(
        mode="Transport.send, a wrong password",
        messages=13,
        faults=ALWAYS_WRONG,
        network=QUICK,
        quick=True,
    ),
    row(
        mode="Transport.send, the Session would keep the login, a wrong password",
        messages=13,
        options=KEPT,
        faults=ALWAYS_WRONG,
        network=QUICK,
    ),
    row(
        mode="Transport.send, refused in place of the greeting",
        messages=8,
        policy={"connections_per_ip": 3},
        network=QUICK,
        quick=True,
    ),
    row(
        mode="Transport.send, timeout at a slow relay",
        messages=3,
        options={"mail.smtp.timeout": 300},
        network={"relay_time": "5ms"},
        faults={"slow": {"at": "0s", "for": "1h", "factor": 200}},
    ),
    row(mode="a Transport reused for all", messages=12, options=ALL, quick=True),
    row(
        mode="a Transport reused for all, a wrong password",
        messages=4,
        options=ALL,
        faults=ALWAYS_WRONG,
    ),
    row(
        mode="a Transport reused for all, refused by a 451 that stays",
        messages=4,
        options=ALL,
        policy=STAYS,
        network=QUICK,
    ),
    row(
        mode="a Transport reused, isConnected asked",
        messages=9,
        options=ALL | {"isConnected": True},
        quick=True,
    ),
    row(
        mode="a Transport reused, isConnected asked by RSET",
        messages=12,
        options=ALL | {"isConnected": True, "mail.smtp.userset": True},
    ),
    row(
        mode="a Transport reused, isConnected asked, 3 logins in 6 s",
        messages=24,
        options=ALL | {"isConnected": True},
        policy={"logins_per_username": {"count": 3, "per": "6s"}},
        network=QUICK,
    ),
    row(
        mode="a Transport reused, isConnected asked, the login given to connect(), 3 logins in 6 s",
        messages=24,
        options=ALL | {"isConnected": True, "Authenticator": False},
        policy={"logins_per_username": {"count": 3, "per": "6s"}},
        network=QUICK,
    ),
    row(
        mode="close() every five, with a sleep",
        messages=12,
        options={"per_connection": 5, "pause": "0.2s"},
        quick=True,
    ),
    row(
        mode="close() every two, refused in place of the greeting",
        messages=12,
        options={"per_connection": 2},
        policy={"connections_per_ip": 3},
        network=QUICK,
    ),
    row(mode="Transport.send, over 120 logins a minute", messages=130, network={"rtt": "30ms"}),
]
