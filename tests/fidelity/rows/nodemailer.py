"""Nodemailer's rows of the fidelity table, for versions 10 and 6, without and with a pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
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
"""For many connections: their time is then mostly the network's, not this machine's."""

POOL = {"pool": True}
ONE = {"pool": True, "maxConnections": 1}
FIVE = {"pool": True, "maxMessages": 5}

IDLE_OPTION = {6: "socketTimeout", 10: "idleTimeout"}
"""The option that closes an idle connection, by version."""

CALIBRATION = {"rateLimit": 0, "idleTimeout": 0, "socketTimeout": 600_000}
"""Turns off all that makes the library close or wait on purpose."""

POOLED = {"maxConnections": 2, "maxMessages": 5}
"""For a pool of one connection: the wait between two connections would otherwise count as the
library's own time. It sends as few messages on each as a limit allows, because version 6 waits for
TCP's acknowledgements, which come immediately on a new connection and late on an old one.
"""


def _rows(version: int) -> list[Row]:
    """All rows of one major version."""
    row = partial(_row, version)
    return [
        *_without_pool(row),
        *_transaction_limit(row),
        *_few_messages_each(row),
        *_rate_limit(row, version),
    ]


def _row(
    version: int,
    mode: str,
    messages: int,
    options: Mapping[str, Any],
    *,
    quick: bool = True,
    **more: Any,
) -> Row:
    chosen = {"version": version, **options}
    plain = CALIBRATION | (POOLED if chosen.get("maxConnections") == 1 else {})
    return Row(
        "Nodemailer" if version == 10 else f"Nodemailer {version}",
        mode,
        "nodemailer.mjs",
        "nodemailer",
        messages,
        chosen,
        quick=quick,
        calibration=plain,
        **{"network": {"rtt": "10ms"}, **more},
    )


def _without_pool(row: Callable[..., Row]) -> list[Row]:
    """A connection for each message, awaited and all at once."""
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
    ]


def _transaction_limit(row: Callable[..., Row]) -> list[Row]:
    """A pool that meets the limit of transactions on a connection."""
    return [
        row("pool, one connection, the transaction limit", 23, ONE, network={"rtt": "30ms"}),
        row(
            "pool, STARTTLS, the transaction limit",
            40,
            POOL,
            network={"rtt": "10ms", "tls": "starttls"},
        ),
        row("pool, the transaction limit", 60, POOL),
        row("pool, the transaction limit told at RCPT", 13, ONE, policy=AT_RCPT),
        row("pool, a refusal that leaves the connection open", 13, ONE, policy=STAYS),
    ]


def _few_messages_each(row: Callable[..., Row]) -> list[Row]:
    """A pool that reconnects by itself, at the limits on logins and connections."""
    return [
        row("pool, maxMessages 5, one connection", 23, {**ONE, "maxMessages": 5}),
        row(
            "pool, maxMessages 5, the login limit",
            650,
            FIVE,
            quick=False,
            network=FAR,
            calibration_messages=160,
        ),
        row(
            "pool, maxMessages 5, a login limit of 12",
            85,
            FIVE,
            policy=FEW_LOGINS,
            calibration_messages=85,
        ),
        row("pool, maxMessages 5, each awaited", 13, {**FIVE, "concurrent": 1}),
        row("pool, a wrong password", 30, POOL, faults=WRONG),
        row("pool, refused in place of the greeting", 60, FIVE, policy=GREETING),
        row(
            "pool, closed before the greeting, maxRequeues 1",
            12,
            {**POOL, "maxMessages": 1, "maxRequeues": 1},
            policy=DROPPED,
        ),
    ]


def _rate_limit(row: Callable[..., Row], version: int) -> list[Row]:
    """A pool with rateLimit, one that is idle, and the best setting for the shipped policy."""
    return [
        row(
            "pool, rateLimit 1, one connection",
            6,
            {**ONE, "rateLimit": 1, "rateDelta": 300},
            policy=FREE,
        ),
        row(
            "pool, rateLimit 1, five connections",
            23,
            {**POOL, "rateLimit": 1, "rateDelta": 300},
            policy=FREE,
        ),
        row(
            "pool, rateLimit 4, two connections, maxMessages 5",
            23,
            {**FIVE, "maxConnections": 2, "rateLimit": 4, "rateDelta": 300},
            policy=FREE,
        ),
        row(
            "pool, an idle connection",
            4,
            {
                **ONE,
                "concurrent": 1,
                "pause": "500ms",
                IDLE_OPTION[version]: 200,
            },
        ),
        row(
            "pool, the best setting",
            200,
            {**FIVE, "maxConnections": 4, "rateLimit": 16, "rateDelta": 2100},
            quick=False,
            network={"rtt": "40ms"},
        ),
    ]


ROWS = [*_rows(10), *_rows(6)]
