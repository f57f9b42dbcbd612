"""Every control of the page as data: its key in a scenario, its words, what it takes and what it
shows when nothing is said.

Library options are controls too, made from what a strategy declares, in the library's own spelling.
Values are those of a scenario file, so that durations are text. Knows nothing of Streamlit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from .. import units
from ..limits import WINDOWS
from ..relay import kinds, policy_file
from ..strategies import catalogue
from ..units import spoken

Kind = Literal["choice", "whole", "number", "duration", "rate", "switch", "text", "list"]


@dataclass(frozen=True, slots=True)
class Control:
    """One control. ``default`` is shown where the setting does not say the key; ``choices`` are
    values with their labels, "" for not to say it.

    ``least`` and ``most`` are what makes sense to step to; what is allowed is the schema's to say.
    """

    key: str
    label: str
    kind: Kind
    default: Any
    help: str = ""
    choices: tuple[tuple[Any, str], ...] = ()
    step: float = 1
    required: bool = False

    @property
    def values(self) -> list[Any]:
        """What can be chosen."""
        return [value for value, _ in self.choices]


def _choices(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple((value, value.replace("-", " ").replace("_", " ")) for value in values)


def strategies() -> Control:
    """The sender's strategy: models of libraries by their own names first, then the plain ones."""
    known = [catalogue.shipped(name) for name in catalogue.SHIPPED]
    libraries = sorted((one.name, f"{one.library}") for one in known if one.library)
    plain = [(one.name, one.name.replace("-", " ")) for one in known if not one.library]
    return Control(
        "sender.strategy",
        "Library or strategy",
        "choice",
        "paced",
        choices=(*libraries, *plain),
        required=True,
    )


def options_of(name: str) -> list[Control]:
    """A control for each option that the strategy declares."""
    if name not in catalogue.SHIPPED:
        return []
    strategy = catalogue.shipped(name)
    return [
        _option(key, default, strategy.explained.get(key, ""))
        for key, default in strategy.options.items()
    ]


def _option(name: str, default: object, help: str) -> Control:
    base = Control(f"sender.options.{name}", name, "text", default, help)
    if isinstance(default, bool):
        return replace(base, kind="switch")
    if isinstance(default, int) or default is None:
        return replace(base, kind="whole")
    if isinstance(default, float):
        return replace(base, kind="number", step=0.1)
    return replace(base, kind="duration" if _is_duration(default) else "text")


def _is_duration(value: object) -> bool:
    try:
        units.duration(value)
    except ValueError:
        return False
    return True


SENDER = [
    Control(
        "sender.workers",
        "Workers",
        "whole",
        1,
        "How many copies of the sender run at once on one outbox.",
    ),
    Control(
        "sender.usernames",
        "Usernames",
        "whole",
        1,
        "How many usernames the workers share out between them.",
    ),
    Control(
        "sender.ips", "IP addresses", "whole", 1, "From how many addresses the workers connect."
    ),
]

KINDS = Control(
    "workload.kind",
    "Messages come",
    "choice",
    "batch",
    required=True,
    choices=(
        ("batch", "all at once"),
        ("constant", "at a constant rate"),
        ("poisson", "at random, at a mean rate"),
        ("bursts", "in bursts"),
        ("daily", "over the day"),
    ),
)

_FOR = Control(
    "workload.for",
    "For",
    "duration",
    "10m",
    "How long messages keep coming, such as 90s, 10m or 1h.",
    required=True,
)
_RATE = Control(
    "workload.rate",
    "Rate",
    "rate",
    "300/min",
    "Such as 10/s, 300/min, 5000/h or 20/d.",
    required=True,
)
PROFILE = [
    60,
    40,
    30,
    30,
    40,
    80,
    200,
    600,
    900,
    1000,
    900,
    800,
    900,
    1000,
    900,
    800,
    700,
    600,
    500,
    400,
    300,
    200,
    150,
    100,
]

WORKLOADS: dict[str, list[Control]] = {
    "batch": [
        Control(
            "workload.messages",
            "Messages",
            "whole",
            1000,
            "They all wait in the outbox from the start.",
            step=100,
            required=True,
        ),
    ],
    "constant": [_RATE, _FOR],
    "poisson": [_RATE, _FOR],
    "bursts": [
        Control("workload.size", "Messages a burst", "whole", 200, step=50, required=True),
        Control(
            "workload.every", "A burst every", "duration", "1m", "Such as 30s or 5m.", required=True
        ),
        _FOR,
    ],
    "daily": [
        Control(
            "workload.profile",
            "Messages in each hour",
            "list",
            PROFILE,
            "24 numbers from midnight on, with commas between them.",
            required=True,
        ),
        replace(_FOR, default="24h"),
    ],
}
"""The controls of each kind of workload, beneath its kind."""

NETWORK = [
    Control(
        "network.rtt",
        "Round trip",
        "duration",
        "40ms",
        "To the relay and back. Each SMTP command takes one.",
    ),
    Control(
        "network.jitter",
        "Jitter",
        "number",
        0.1,
        "Coefficient of variation of each round trip; 0 makes all alike.",
        step=0.05,
    ),
    Control(
        "network.relay_time",
        "Relay's time a command",
        "duration",
        "5ms",
        "How long the relay thinks before it answers.",
    ),
    Control(
        "network.client_time.connection",
        "Own time to connect",
        "duration",
        "0ms",
        "What the program does before it connects.",
    ),
    Control(
        "network.client_time.message",
        "Own time a message",
        "duration",
        "0ms",
        "What the program does before each message.",
    ),
    Control(
        "network.tls",
        "TLS",
        "choice",
        "starttls",
        choices=(("starttls", "STARTTLS"), ("implicit", "implicit"), ("none", "none")),
    ),
]

RUN = [
    Control(
        "seed",
        "Seed",
        "whole",
        1,
        "The luck of this run. The same seed gives the same luck to every setting.",
    ),
    Control(
        "until",
        "Stop at",
        "duration",
        "",
        "Virtual time at which the run stops; empty runs until everything is settled.",
    ),
]

DROP = Control(
    "faults.drop_connection",
    "Chance that a command kills the connection",
    "number",
    0.0,
    "0.001 is one command in a thousand.",
    step=0.001,
)

FAULTS: dict[str, tuple[str, Any, list[Control]]] = {
    "faults.wrong_password": (
        "Wrong password for a while",
        {"from": "10s", "until": "40s"},
        [
            Control("faults.wrong_password.from", "From", "duration", "10s", required=True),
            Control("faults.wrong_password.until", "Until", "duration", "40s", required=True),
        ],
    ),
    "faults.slow": (
        "Slow relay for a while",
        {"at": "10s", "for": "30s", "factor": 20},
        [
            Control("faults.slow.at", "From", "duration", "10s", required=True),
            Control("faults.slow.for", "For", "duration", "30s", required=True),
            Control(
                "faults.slow.factor",
                "Times its time a command",
                "number",
                20.0,
                step=5,
                required=True,
            ),
        ],
    ),
}
"""Faults that are there or not: the switch's words, the table that it puts in, and its controls."""

OUTAGES = Control(
    "faults.relay_down",
    "Relay down",
    "text",
    "",
    'Stretches as time+length with commas between them, such as "30s+10s, 5m+1m".',
)

_ASSUMED = "The relay's article leaves this open."
THEN = (
    ("close", "closes the connection"),
    ("drop", "drops it without a word"),
    ("stay", "keeps it open"),
)


def policies_choice() -> Control:
    """The policies that are shipped."""
    return Control(
        "policy.use",
        "Policy",
        "choice",
        "mailersend",
        "Numbers of the relay's own help article, or no limit at all.",
        choices=_choices(*policy_file.shipped()),
    )


def window() -> Control:
    """The algorithm of every limit that has a window."""
    return Control(
        "policy.window",
        "How a window counts",
        "choice",
        "fixed",
        (
            f"{_ASSUMED} fixed begins at the first request, aligned at the clock's minute; "
            "sliding looks back; gcra refills."
        ),
        choices=_choices(*WINDOWS),
    )


def limit_controls(name: str, *, whole: bool = False) -> list[Control]:
    """Every field of one limit, with the article's numbers as defaults. With ``whole``, the policy
    lacks the limit and its numbers are required.
    """
    base: Any = _example(name)
    key = f"policy.{name}"
    found = [Control(f"{key}.count", "Allowed", "whole", base.count, required=whole)]
    if hasattr(base, "per"):
        found.append(Control(f"{key}.per", "Within", "duration", spoken(base.per), required=whole))
        every = (("", "as the policy"), *_choices(*WINDOWS))
        refused = (("", "as the window does"), (True, "yes"), (False, "no"))
        block = "" if base.block is None or whole else spoken(base.block)
        found += [
            Control(
                f"{key}.window",
                "Its own window",
                "choice",
                base.window or "",
                _ASSUMED,
                choices=every,
            ),
            Control(
                f"{key}.count_refused",
                "A refused request counts",
                "choice",
                "",
                _ASSUMED,
                choices=refused,
            ),
            Control(
                f"{key}.block",
                "Then blocked for",
                "duration",
                block,
                "How long the key is shut out. Empty: as the policy says.",
            ),
        ]
    found += [
        _assumption(key, field, values, base)
        for field, values in _ASSUMPTIONS.items()
        if hasattr(base, field)
    ]
    return found + _reply(key, base)


def has_limit(policy: str, name: str) -> bool:
    """Whether a shipped policy has the limit."""
    return name in policy_file.load(policy, {}, "shipped", Path()).limits


def whole_limit(name: str) -> dict[str, Any]:
    """The numbers that a limit needs if the policy lacks it: the article's count and times."""
    base = _example(name)
    times = {
        key: spoken(getattr(base, key))
        for key in ("per", "block")
        if getattr(base, key, None) is not None
    }
    return {"count": base.count, **times}


def _example(name: str) -> kinds.LimitSpec:
    """The limit with the article's numbers, or round ones if the article does not have it."""
    kind = kinds.KINDS[name]
    base = policy_file.load("mailersend", {}, "shipped", Path()).spec(name)
    return base or kind.spec.model_validate(
        {"count": 100, **({"per": "60s"} if kind.timed else {})}
    )


_ASSUMPTIONS: dict[str, tuple[tuple[Any, str], ...]] = {
    "counted_at": (("mail", "at MAIL"), ("acceptance", "at acceptance")),
    "consecutive": (
        ("every", "every login counts"),
        ("without-success", "a success empties the count"),
    ),
    "counts_failed": ((True, "wrong passwords count too"), (False, "only right ones count")),
    "block_at": (
        ("over", "the failure after the last allowed"),
        ("reached", "the last allowed failure"),
    ),
    "kept_from": (("first", "the first failure"), ("last", "the last failure")),
}
_SAID = {
    "counted_at": "Counted",
    "consecutive": "Consecutive",
    "counts_failed": "Failed logins",
    "block_at": "The block starts at",
    "kept_from": "Kept from",
}


def _assumption(key: str, field: str, values: tuple[tuple[Any, str], ...], base: Any) -> Control:
    return Control(
        f"{key}.{field}", _SAID[field], "choice", getattr(base, field), _ASSUMED, choices=values
    )


def _reply(key: str, base: Any) -> list[Control]:
    stages = _choices(*base.stages)
    return [
        Control(
            f"{key}.reply.code",
            "Reply code",
            "whole",
            base.reply.code,
            "4xx asks to try again later, 5xx never again.",
        ),
        Control(
            f"{key}.reply.stage", "Refused at", "choice", base.reply.stage, _ASSUMED, choices=stages
        ),
        Control(f"{key}.reply.then", "And then", "choice", base.reply.then, _ASSUMED, choices=THEN),
    ]


def all_controls(strategies_too: Sequence[str] = ()) -> list[Control]:
    """Every control, including the options of ``strategies_too``."""
    found = [
        strategies(),
        *SENDER,
        KINDS,
        *(one for group in WORKLOADS.values() for one in group),
        *NETWORK,
        *RUN,
        DROP,
        OUTAGES,
    ]
    found += [one for _, _, group in FAULTS.values() for one in group]
    found += [policies_choice(), window()]
    for name in kinds.KINDS:
        found += limit_controls(name, whole=not has_limit("mailersend", name))
    return found + [one for name in strategies_too for one in options_of(name)]
