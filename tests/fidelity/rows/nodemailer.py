"""Nodemailer's rows, each in both majors: without a pool, awaited and all at once; with one, in
every way that it can end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fidelity.row import Row

WRONG = {"wrong_password": {"from": 0, "until": "1h"}}
GREETING = {"connections_per_ip": {"count": 8}}
DROPPED = {"connections_per_ip": {"count": 4, "reply": {"then": "drop"}}}
STAYS = {"transactions_per_connection": {"count": 5, "reply": {"code": 450, "then": "stay"}}}
AT_RCPT = {"transactions_per_connection": {"count": 5, "reply": {"stage": "rcpt"}}}
FREE = {"use": "unlimited"}
FEW_LOGINS = {"logins_per_username": {"count": 12}}
FAR = {"rtt": "20ms"}
"""Where there are many connections, so that their time is the network's more than this machine's.
"""

CALIBRATION = {"rateLimit": 0, "idleTimeout": 0, "socketTimeout": 600_000}
"""Nothing that makes the library close or wait on purpose."""

POOLED = {"maxConnections": 2, "maxMessages": 5}
"""For the single connection of a pool, whose waits between two connections would be taken for its
own time otherwise. As few messages each as a limit allows: version 6 waits for TCP's
acknowledgements, which come at once on a new connection and late on an old one.
"""


def _rows(version: int) -> list[Row]:
    name = "Nodemailer" if version == 10 else f"Nodemailer {version}"

    def row(
        mode: str, messages: int, options: Mapping[str, Any], *, quick: bool = True, **more: Any
    ) -> Row:
        chosen = {"version": version, **options}
        plain = CALIBRATION | (POOLED if chosen.get("maxConnections") == 1 else {})
        more = {"network": {"rtt": "10ms"}} | more
        return Row(
            name,
            mode,
            "nodemailer.mjs",
            "nodemailer",
            messages,
            chosen,
            quick=quick,
            calibration=plain,
            **more,
        )

    pool, one = {"pool": True}, {"pool": True, "maxConnections": 1}
    five = {**pool, "maxMessages": 5}
    return [
        row("no pool, each awaited", 12, {}),
        row("no pool, STARTTLS", 6, {}, network={"rtt": "10ms", "tls": "starttls"}),
        row(
            "no pool, TLS from the start, AUTH LOGIN",
            6,
            {"authMethod": "LOGIN"},
            network={"rtt": "10ms", "tls": "implicit"},
        ),
        row("no pool, a pause behind each", 6, {"pause": "100ms"}),
        row("no pool, the login limit", 130, {}, quick=False, network=FAR),
        row("no pool, a login limit of 12", 18, {}, policy=FEW_LOGINS),
        row("no pool, a wrong password", 15, {}, faults=WRONG),
        row("no pool, refused in place of the greeting", 14, {}, policy=GREETING),
        row(
            "no pool, all at once, the login limit",
            130,
            {"concurrent": 1000},
            network={"rtt": "50ms"},
            calibration_messages=130,
        ),
        row(
            "no pool, ten at a time, refused in place of the greeting",
            40,
            {"concurrent": 10},
            policy=GREETING,
        ),
        row("pool, one connection, the transaction limit", 23, one, network={"rtt": "30ms"}),
        row(
            "pool, STARTTLS, the transaction limit",
            40,
            pool,
            network={"rtt": "10ms", "tls": "starttls"},
        ),
        row("pool, the transaction limit", 60, pool),
        row("pool, the transaction limit told at RCPT", 13, one, policy=AT_RCPT),
        row("pool, a refusal that leaves the connection open", 13, one, policy=STAYS),
        row("pool, maxMessages 5, one connection", 23, {**one, "maxMessages": 5}),
        row(
            "pool, maxMessages 5, the login limit",
            650,
            five,
            quick=False,
            network=FAR,
            calibration_messages=160,
        ),
        row(
            "pool, maxMessages 5, a login limit of 12",
            85,
            five,
            policy=FEW_LOGINS,
            calibration_messages=85,
        ),
        row("pool, maxMessages 5, each awaited", 13, {**five, "concurrent": 1}),
        row("pool, a wrong password", 30, pool, faults=WRONG),
        row("pool, refused in place of the greeting", 60, five, policy=GREETING),
        row(
            "pool, closed before the greeting, maxRequeues 1",
            12,
            {**pool, "maxMessages": 1, "maxRequeues": 1},
            policy=DROPPED,
        ),
        row(
            "pool, rateLimit 1, one connection",
            6,
            {**one, "rateLimit": 1, "rateDelta": 300},
            policy=FREE,
        ),
        row(
            "pool, rateLimit 1, five connections",
            23,
            {**pool, "rateLimit": 1, "rateDelta": 300},
            policy=FREE,
        ),
        row(
            "pool, rateLimit 4, two connections, maxMessages 5",
            23,
            {**five, "maxConnections": 2, "rateLimit": 4, "rateDelta": 300},
            policy=FREE,
        ),
        row(
            "pool, an idle connection",
            4,
            {
                **one,
                "concurrent": 1,
                "pause": "500ms",
                **({"idleTimeout": 200} if version == 10 else {"socketTimeout": 200}),
            },
        ),
        row(
            "pool, the best setting",
            200,
            {**five, "maxConnections": 4, "rateLimit": 16, "rateDelta": 2100},
            quick=False,
            network={"rtt": "40ms"},
        ),
    ]


ROWS = [*_rows(10), *_rows(6)]
