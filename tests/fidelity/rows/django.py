"""The rows of Django's e-mail."""

from __future__ import annotations

from functools import partial

from tests.fidelity.row import Row

row = partial(Row, library="Django", program="with_django.py", strategy="django")
QUICK = {"rtt": "5ms"}
TWELVE_LOGINS = {"logins_per_username": {"count": 12, "per": "6s"}}
ALWAYS_WRONG = {"wrong_password": {"from": "0s", "until": "1d"}}
STAYS = {"transactions_per_connection": {"count": 1, "reply": {"code": 451, "then": "stay"}}}
SLOW = {"slow": {"at": "0s", "for": "1h", "factor": 200}}

ROWS = [
    row(mode="send_mail", messages=12, quick=True),
    row(mode="send_mail, STARTTLS", messages=6, network={"tls": "starttls"}, quick=True),
    row(mode="send_mail, implicit TLS", messages=6, network={"tls": "implicit"}),
    row(mode="send_mail, 12 logins in 6 s", messages=20, policy=TWELVE_LOGINS, quick=True),
    row(
        mode="send_mail, a wrong password",
        messages=13,
        faults=ALWAYS_WRONG,
        network=QUICK,
        quick=True,
    ),
    row(
        mode="send_mail failing silently, a wrong password",
        messages=13,
        options={"fail_silently": True},
        faults=ALWAYS_WRONG,
        network=QUICK,
    ),
    row(
        mode="send_mail, refused in place of the greeting",
        messages=8,
        policy={"connections_per_ip": 3},
        network=QUICK,
        quick=True,
    ),
    row(
        mode="send_mail, EMAIL_TIMEOUT at a slow relay",
        messages=3,
        options={"EMAIL_TIMEOUT": 0.3},
        network={"relay_time": "5ms"},
        faults=SLOW,
        quick=True,
    ),
    row(mode="send_mass_mail of six", messages=18, options={"send_mass_mail": 6}, quick=True),
    row(
        mode="send_mass_mail of six, failing silently",
        messages=18,
        options={"send_mass_mail": 6, "fail_silently": True},
    ),
    row(
        mode="send_mass_mail, refused by a 451 that stays",
        messages=4,
        options={"send_mass_mail": 4},
        policy=STAYS,
        network=QUICK,
        quick=True,
    ),
    row(
        mode="send_mass_mail failing silently, refused by a 451 that stays",
        messages=4,
        options={"send_mass_mail": 4, "fail_silently": True},
        policy=STAYS,
        network=QUICK,
        quick=True,
    ),
    row(
        mode="send_mass_mail of two, a wrong password",
        messages=13,
        options={"send_mass_mail": 2},
        faults=ALWAYS_WRONG,
        network=QUICK,
    ),
    row(
        mode="send_mass_mail of two, refused in place of the greeting",
        messages=12,
        options={"send_mass_mail": 2},
        policy={"connections_per_ip": 3},
        network=QUICK,
    ),
    row(mode="one open connection", messages=12, options={"per_connection": 0}, quick=True),
    row(
        mode="open and close every five, with a pause",
        messages=22,
        options={"per_connection": 5, "pause": "0.2s"},
        quick=True,
    ),
    row(
        mode="open and close every two, 3 logins in 6 s",
        messages=12,
        options={"per_connection": 2},
        policy={"logins_per_username": {"count": 3, "per": "6s"}},
        network=QUICK,
    ),
    row(
        mode="open and close every two, a wrong password",
        messages=8,
        options={"per_connection": 2},
        faults=ALWAYS_WRONG,
        network=QUICK,
    ),
    row(
        mode="open and close every two, failing silently, a wrong password",
        messages=8,
        options={"per_connection": 2, "fail_silently": True},
        faults=ALWAYS_WRONG,
        network=QUICK,
        quick=True,
    ),
    row(
        mode="open and close every two, refused in place of the greeting",
        messages=12,
        options={"per_connection": 2},
        policy={"connections_per_ip": 3},
        network=QUICK,
    ),
    row(mode="send_mail, over 120 logins a minute", messages=130, network={"rtt": "30ms"}),
]
