"""Symfony Mailer's rows."""

from __future__ import annotations

from typing import Any

from tests.fidelity.row import Row

NEAR = {"rtt": "5ms"}
STAY = {"transactions_per_connection": {"count": 3, "reply": {"then": "stay"}}}
WRONG = {"wrong_password": {"from": 0, "until": "1h"}}


def row(
    mode: str,
    messages: int,
    *,
    quick: bool = True,
    policy: Any = None,
    network: Any = None,
    faults: Any = None,
    calibration: Any = None,
    **options: Any,
) -> Row:
    return Row(
        "Symfony Mailer",
        mode,
        "symfony_mailer.php",
        "symfony-mailer",
        messages,
        options,
        policy=policy or {},
        network=network or {},
        faults=faults or {},
        calibration=calibration or {},
        quick=quick,
    )


ROWS = [
    row("as it comes: the transaction limit at each sixth", 14),
    row(
        "as it comes, STARTTLS: the transaction limit", 14, network={"tls": "starttls"}, quick=False
    ),
    row("as it comes, implicit TLS", 5, network={"tls": "implicit"}, quick=False),
    row(
        "as it comes: the restart behind the hundredth message",
        104,
        policy={"use": "unlimited"},
        network=NEAR,
        quick=False,
    ),
    row(
        "as it comes: the restart on the twentieth connection",
        125,
        network={"rtt": "40ms"},
        quick=False,
        calibration={"restart_threshold": 5},
    ),
    row("restart_threshold=5", 12, restart_threshold=5),
    row("restart_threshold=5, STARTTLS", 12, restart_threshold=5, network={"tls": "starttls"}),
    row(
        "restart_threshold=5, restart_threshold_sleep=1",
        11,
        restart_threshold=5,
        restart_threshold_sleep=1,
        quick=False,
        calibration={"restart_threshold_sleep": 0},
    ),
    row("restart_threshold=0, which is one", 6, restart_threshold=0),
    row(
        "setMaxPerSecond(5)",
        8,
        max_per_second=5.0,
        restart_threshold=5,
        quick=False,
        calibration={"max_per_second": 0.0},
    ),
    row("ping_threshold=0: NOOP before each message", 5, ping_threshold=0),
    row("a refusal that leaves the connection open", 6, policy=STAY),
    row(
        "the login limit, small",
        16,
        policy={"logins_per_username": {"count": 10, "per": "60s"}},
        restart_threshold=1,
    ),
    row("the login limit: 130 connections", 130, network=NEAR, restart_threshold=1, quick=False),
    row("a wrong password, twice a message, until the username is shut out", 9, faults=WRONG),
    row(
        "a refusal in place of the greeting",
        14,
        policy={"connections_per_ip": {"count": 2}},
        restart_threshold=5,
    ),
    row(
        "a refusal in place of a restart's greeting",
        9,
        policy={"connections_per_ip": {"count": 1}},
        restart_threshold=3,
        quick=False,
    ),
    row(
        "a refusal of EHLO that leaves the connection open",
        4,
        restart_threshold=2,
        quick=False,
        policy={"connections_per_ip": {"count": 1, "reply": {"stage": "ehlo", "then": "stay"}}},
    ),
]
