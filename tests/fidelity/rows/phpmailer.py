"""PHPMailer's rows."""

from __future__ import annotations

from typing import Any

from tests.fidelity.row import Row

NEAR = {"rtt": "5ms"}
STAY = {"transactions_per_connection": {"count": 3, "reply": {"then": "stay"}}}
AT_RCPT = {"transactions_per_connection": {"count": 3, "reply": {"stage": "rcpt", "then": "stay"}}}
AT_BODY = {"transactions_per_connection": {"count": 3, "reply": {"stage": "body"}}}
ALIVE: dict[str, Any] = {"SMTPKeepAlive": True}


def row(
    mode: str,
    messages: int,
    options: dict[str, Any] | None = None,
    *,
    quick: bool = True,
    **more: Any,
) -> Row:
    return Row(
        "PHPMailer",
        mode,
        "phpmailer.php",
        "phpmailer",
        messages,
        options or {},
        quick=quick,
        **more,
    )


ROWS = [
    row("a connection for each message", 8),
    row("a connection for each message, STARTTLS", 8, network={"tls": "starttls"}),
    row("a connection for each message, implicit TLS", 8, network={"tls": "implicit"}, quick=False),
    row("a connection for each message, AuthType PLAIN", 8, {"AuthType": "PLAIN"}, quick=False),
    row("a connection for each message, a pause behind each", 6, {"pause": "0.2s"}, quick=False),
    row("SMTPKeepAlive: the transaction limit at each sixth", 14, ALIVE),
    row(
        "SMTPKeepAlive: the transaction limit, STARTTLS",
        14,
        ALIVE,
        network={"tls": "starttls"},
        quick=False,
    ),
    row("SMTPKeepAlive, smtpClose() every five", 12, ALIVE | {"per_connection": 5}),
    row(
        "SMTPKeepAlive, smtpClose() every five and a pause",
        22,
        ALIVE | {"per_connection": 5, "pause": "0.5s"},
        quick=False,
    ),
    row("SMTPKeepAlive, smtpClose() every ten", 24, ALIVE | {"per_connection": 10}, quick=False),
    row("SMTPKeepAlive: a refusal that leaves the connection open", 6, ALIVE, policy=STAY),
    row("SMTPKeepAlive: refused at RCPT, left open", 6, ALIVE, policy=AT_RCPT),
    row("SMTPKeepAlive: refused at the end of the body", 9, ALIVE, policy=AT_BODY, quick=False),
    row(
        "a connection for each message: refused at RCPT",
        4,
        policy={
            "transactions_per_connection": {
                "count": 1,
                "counted_at": "mail",
                "reply": {"stage": "rcpt"},
            }
        },
        quick=False,
    ),
    row("the login limit, small", 16, policy={"logins_per_username": {"count": 10, "per": "60s"}}),
    row("the login limit: 130 connections", 130, network=NEAR, quick=False),
    row(
        "a wrong password, until the username is shut out",
        13,
        faults={"wrong_password": {"from": 0, "until": "1h"}},
    ),
    row(
        "SMTPKeepAlive: a wrong password",
        13,
        ALIVE,
        faults={"wrong_password": {"from": 0, "until": "1h"}},
        quick=False,
    ),
    row("a refusal in place of the greeting", 9, policy={"connections_per_ip": {"count": 5}}),
    row(
        "SMTPKeepAlive: a refusal in place of the greeting",
        14,
        ALIVE,
        policy={"connections_per_ip": {"count": 1}},
        quick=False,
    ),
    row(
        "a refusal of EHLO",
        6,
        policy={"connections_per_ip": {"count": 3, "reply": {"stage": "ehlo"}}},
        quick=False,
    ),
]
