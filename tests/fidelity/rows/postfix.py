"""Postfix's rows: with one delivery at a time exact, with several a matter of luck."""

from __future__ import annotations

from typing import Any

from tests.fidelity.row import Row

ONE = {"smtp_destination_concurrency_limit": 1}
SHORT = {"minimal_backoff_time": "4s", "maximal_backoff_time": "8s", "queue_run_delay": "2s"}
WRONG = {"wrong_password": {"from": 0, "until": "1h"}}
UNEVEN = {"rtt": "20ms", "jitter": 0.1}
FAR = UNEVEN | {"rtt": "200ms"}
"""So far that the time in which the machine starts Postfix's processes, of which the model knows
nothing, counts for little.
"""
TOGETHER = "its processes start and end as the machine lets them"
CLOCK = "its timers count whole seconds of the clock, whose fraction at the start is luck"


def row(
    mode: str,
    messages: int,
    options: dict[str, Any],
    *,
    quick: bool = True,
    cut: float | None = None,
    **more: Any,
) -> Row:
    """``cut`` ends both after so many seconds, before anything deferred comes back."""
    if cut:
        more |= {"until": f"{cut:g}s", "arguments": {"seconds": cut}}
    return Row("Postfix", mode, "postfix.py", "postfix", messages, options, quick=quick, **more)


def many(mode: str, messages: int, options: dict[str, Any], **more: Any) -> Row:
    """Several deliveries at once, over round trips that are not all the same: else the model's
    would go in step for ever.
    """
    return row(
        f"as it comes: {mode}",
        messages,
        options,
        quick=False,
        **{"lucky": TOGETHER, "network": UNEVEN} | more,
    )


ROWS = [
    row("one at a time, connections kept", 5, ONE, quick=False),
    row("one at a time: the transaction limit", 12, ONE, cut=6),
    row(
        "one at a time: the transaction limit, tried again",
        12,
        ONE | SHORT,
        quick=False,
        lucky=CLOCK,
    ),
    row(
        "one at a time: smtp_connection_reuse_count_limit = 4 is five",
        18,
        ONE | {"smtp_connection_reuse_count_limit": 4},
    ),
    row(
        "one at a time: smtp_connection_reuse_count_limit = 5 is six",
        14,
        ONE | {"smtp_connection_reuse_count_limit": 5},
        cut=6,
        quick=False,
    ),
    row(
        "one at a time, smtp_connection_cache_on_demand = no",
        6,
        ONE | {"smtp_connection_cache_on_demand": False},
        quick=False,
    ),
    row(
        "one at a time, STARTTLS: a connection for each message",
        8,
        ONE,
        network={"tls": "starttls"},
        quick=False,
    ),
    row("one at a time, implicit TLS", 6, ONE, network={"tls": "implicit"}, quick=False),
    row(
        "one at a time, STARTTLS, smtp_tls_connection_reuse = yes",
        13,
        ONE | {"smtp_tls_connection_reuse": True, "smtp_connection_reuse_count_limit": 4},
        network={"tls": "starttls"},
    ),
    row(
        "one at a time: refused and left open",
        6,
        ONE,
        cut=4,
        quick=False,
        policy={"transactions_per_connection": {"count": 2, "reply": {"then": "stay"}}},
    ),
    row(
        "one at a time: refused at RCPT",
        8,
        ONE,
        cut=4,
        quick=False,
        policy={
            "transactions_per_connection": {"count": 2, "reply": {"stage": "rcpt", "then": "stay"}}
        },
    ),
    row(
        "one at a time: refused at DATA",
        8,
        ONE,
        cut=4,
        quick=False,
        policy={"transactions_per_connection": {"count": 2, "reply": {"stage": "data"}}},
    ),
    row(
        "one at a time: refused at the end of the body",
        8,
        ONE,
        cut=4,
        quick=False,
        policy={"transactions_per_connection": {"count": 2, "reply": {"stage": "body"}}},
    ),
    row(
        "one at a time: bounced by a 550",
        8,
        ONE,
        cut=4,
        quick=False,
        policy={"transactions_per_connection": {"count": 2, "reply": {"code": 550}}},
    ),
    row(
        "one at a time: the login limit puts the relay off",
        12,
        ONE | {"smtp_connection_cache_on_demand": False},
        cut=3,
        policy={"logins_per_username": {"count": 6, "per": "60s"}},
    ),
    row(
        "one at a time: the login limit, 130 connections",
        130,
        ONE | {"smtp_connection_cache_on_demand": False},
        cut=30,
        network={"rtt": "5ms"},
        quick=False,
    ),
    row("one at a time: a wrong password is tried once", 6, ONE, cut=3, faults=WRONG, quick=False),
    row(
        "one at a time: a refusal in place of the greeting",
        8,
        ONE | {"smtp_connection_cache_on_demand": False},
        cut=4,
        quick=False,
        policy={"connections_per_ip": {"count": 4}},
    ),
    row(
        "one at a time: no destination is put off at a cohort limit of 0",
        8,
        cut=4,
        quick=False,
        options=ONE
        | {
            "smtp_connection_cache_on_demand": False,
            "smtp_destination_concurrency_failed_cohort_limit": 0,
        },
        policy={"connections_per_ip": {"count": 4}},
    ),
    row(
        "smtp_destination_rate_delay = 1s",
        8,
        {"smtp_destination_rate_delay": "1s"},
        cut=20,
        quick=False,
        calibration={"smtp_destination_rate_delay": "0s", **ONE},
    ),
    many("no TLS", 60, {}, cut=8, network=UNEVEN | {"rtt": "60ms"}),
    many("STARTTLS", 60, {}, cut=12, network=UNEVEN | {"tls": "starttls"}),
    many(
        "smtp_connection_reuse_count_limit = 4",
        100,
        {"smtp_connection_reuse_count_limit": 4},
        cut=12,
    ),
    many("the transaction limit", 120, {}, cut=15, network=FAR),
    many(
        "the login limit, 150 connections", 150, {"smtp_connection_cache_on_demand": False}, cut=15
    ),
    many("a wrong password", 20, {}, cut=4, faults=WRONG),
    many(
        "a refusal in place of the greeting",
        60,
        {"smtp_connection_cache_on_demand": False},
        cut=5,
        policy={"connections_per_ip": {"count": 30}},
    ),
    many(
        "put off, and tried again",
        30,
        SHORT | {"smtp_connection_cache_on_demand": False},
        lucky=f"{TOGETHER}, and {CLOCK}",
        network=FAR,
        policy={"logins_per_username": {"count": 12, "per": "5s"}},
    ),
]
