"""A model of Postfix with a relayhost, which accepts all messages immediately and delivers them
at its own pace.

Each message is a separate strand. It waits for the queue manager (``postfix_destination``), goes to
a delivery agent (``postfix_delivery``), and after a failure sleeps until the scan of the deferred
queue that finds it due. Tested against version 3.7.
"""

from __future__ import annotations

import math

from ... import units
from ..api import Message
from ..dialogue import LibrarySender
from .postfix_delivery import Agent, Cache, Caching
from .postfix_destination import Delivery, Destination, Feedback, Outcome, Scheduling

WHOLE = (
    "smtp_connection_reuse_count_limit",
    "smtp_destination_concurrency_limit",
    "initial_destination_concurrency",
    "default_process_limit",
    "smtp_destination_concurrency_failed_cohort_limit",
)
DURATIONS = (
    "smtp_connection_cache_time_limit",
    "smtp_connection_reuse_time_limit",
    "smtp_destination_rate_delay",
    "minimal_backoff_time",
    "maximal_backoff_time",
    "queue_run_delay",
    "maximal_queue_lifetime",
)


class Postfix:
    """Postfix as the sending MTA, relayhost and SASL set: up to 20 connections at once, and nothing
    is lost but to time.

    With TLS it makes a connection for each message, unless smtp_tls_connection_reuse is on. Without
    TLS it keeps connections when deliveries follow each other, and
    smtp_connection_reuse_count_limit = N lets one carry N + 1 messages. A refused MAIL defers that
    message. A refused greeting or login counts against the relay: after a few in a row (one, at a
    concurrency of 1) all mail for it is deferred for minimal_backoff_time without a try. A deferred
    message waits as long as its age, within the two backoff times, and is tried again at the next
    scan of the queue, every queue_run_delay.
    """

    library = "Postfix"
    options = {
        "smtp_connection_cache_on_demand": True,
        "smtp_connection_reuse_count_limit": 0,
        "smtp_connection_reuse_time_limit": "300s",
        "smtp_connection_cache_time_limit": "2s",
        "smtp_tls_connection_reuse": False,
        "smtp_destination_concurrency_limit": 20,
        "initial_destination_concurrency": 5,
        "smtp_destination_rate_delay": "0s",
        "smtp_destination_concurrency_positive_feedback": "1",
        "smtp_destination_concurrency_negative_feedback": "1",
        "smtp_destination_concurrency_failed_cohort_limit": 1,
        "default_process_limit": 100,
        "minimal_backoff_time": "300s",
        "maximal_backoff_time": "4000s",
        "queue_run_delay": "300s",
        "maximal_queue_lifetime": "5d",
    }
    explained = {
        "smtp_connection_cache_on_demand": (
            "Whether connections are kept while deliveries follow each other."
        ),
        "smtp_connection_reuse_count_limit": (
            "How often a connection is used again: N lets it carry N + 1 messages; 0 sets no limit."
        ),
        "smtp_connection_reuse_time_limit": "How long a connection is used again at most.",
        "smtp_connection_cache_time_limit": (
            "How long a kept connection waits for the next message."
        ),
        "smtp_tls_connection_reuse": "Whether connections under TLS are kept too.",
        "smtp_destination_concurrency_limit": "Deliveries at once to the relay; 0 sets no limit.",
        "initial_destination_concurrency": (
            "Deliveries at once to begin with; each success allows one more."
        ),
        "smtp_destination_rate_delay": (
            "The wait behind each delivery, in whole seconds; it also sets the concurrency to 1."
        ),
        ("smtp_destination_concurrency_positive_feedback"): (
            "How much more a success allows, such as 1 or 1/concurrency."
        ),
        ("smtp_destination_concurrency_negative_feedback"): (
            "How much less a failure to reach the relay allows."
        ),
        ("smtp_destination_concurrency_failed_cohort_limit"): (
            "Cohorts of failures in a row that put the relay off; 0 never does."
        ),
        "default_process_limit": "Processes that deliver.",
        "minimal_backoff_time": (
            "The shortest wait of a deferred message, and how long an unreachable relay is put off."
        ),
        "maximal_backoff_time": "The longest wait of a deferred message.",
        "queue_run_delay": "The time between two scans for deferred messages that are due.",
        "maximal_queue_lifetime": "The age at which a message that is still deferred is given up.",
    }

    def __init__(self, **options: object) -> None:
        given = {**self.options, **options}
        for name in WHOLE:
            if given[name] < 0:  # type: ignore[operator]
                raise ValueError(f"{name} = {given[name]} is too small; at least 0")
        times = {name: units.seconds(units.duration(given[name])) for name in DURATIONS}
        for name in (
            "smtp_destination_rate_delay",
            "minimal_backoff_time",
            "maximal_backoff_time",
            "queue_run_delay",
        ):
            if times[name] != math.floor(times[name]):
                raise ValueError(f"{name} = {given[name]} is no whole number of seconds")
        if times["queue_run_delay"] < 1:
            raise ValueError(
                f"queue_run_delay = {given['queue_run_delay']} is too small; at least 1s"
            )
        self.caching = _caching(given, times)
        self.scheduling = _scheduling(given, times)
        self.shortest = int(times["minimal_backoff_time"])
        self.longest = int(times["maximal_backoff_time"])
        self.scan = int(times["queue_run_delay"])
        self.lifetime = times["maximal_queue_lifetime"]

    def run(self, sender: LibrarySender) -> None:
        """One instance of Postfix from its start."""
        instance = _Instance(sender, self)
        while batch := sender.take():
            sender.spawn(instance.message, batch[0])


class _Instance:
    """The destination and the connection cache that all strands of one Postfix share."""

    def __init__(self, sender: LibrarySender, spec: Postfix) -> None:
        self._spec = spec
        self._destination = Destination(sender, spec.scheduling)
        self._cache = Cache(spec.caching.idle)

    def message(self, sender: LibrarySender, message: Message) -> None:
        """Delivers one message. A message that bounces stays with this strand and so is lost."""
        agent = Agent(sender, self._spec.caching, self._cache)
        born = math.floor(sender.now())
        while True:
            outcome = self._try(sender, agent, message)
            if outcome in (Outcome.SENT, Outcome.BOUNCED):
                return
            now = math.floor(sender.now())
            if now - born >= self._spec.lifetime:
                return
            due = now + max(self._spec.shortest, min(self._spec.longest, now - born))
            self._sleep_until_scanned(sender, due)

    def _try(self, sender: LibrarySender, agent: Agent, message: Message) -> Outcome:
        delivery = Delivery(sender.signal())
        self._destination.submit(delivery)
        if delivery.go is None:
            delivery.signal.wait()
        if not delivery.go:
            return Outcome.DEFERRED
        outcome = agent.deliver(message, delivery)
        self._destination.done(outcome)
        return outcome

    def _sleep_until_scanned(self, sender: LibrarySender, due: int) -> None:
        """Sleeps until the next scan that finds the message due, with a tolerance of a second."""
        every = self._spec.scan
        number = max(math.floor(sender.now() / every) + 1, math.ceil((due - 1) / every))
        sender.sleep(max(0.0, number * every - sender.now()))


def _caching(given: dict[str, object], times: dict[str, float]) -> Caching:
    return Caching(
        on_demand=bool(given["smtp_connection_cache_on_demand"]),
        under_tls=bool(given["smtp_tls_connection_reuse"]),
        reuses=_whole(given, "smtp_connection_reuse_count_limit"),
        idle=times["smtp_connection_cache_time_limit"],
        longest=times["smtp_connection_reuse_time_limit"],
    )


def _scheduling(given: dict[str, object], times: dict[str, float]) -> Scheduling:
    delay = int(times["smtp_destination_rate_delay"])
    limit = 1 if delay else _whole(given, "smtp_destination_concurrency_limit")
    initial = _whole(given, "initial_destination_concurrency")
    gain = "smtp_destination_concurrency_positive_feedback"
    loss = "smtp_destination_concurrency_negative_feedback"
    return Scheduling(
        limit=limit,
        initial=max(1, min(initial, limit) if limit else initial),
        rate_delay=delay,
        backoff=int(times["minimal_backoff_time"]),
        cohorts=float(_whole(given, "smtp_destination_concurrency_failed_cohort_limit")),
        gain=Feedback.read(gain, str(given[gain])),
        loss=Feedback.read(loss, str(given[loss])),
        processes=_whole(given, "default_process_limit") or 1_000_000,
    )


def _whole(given: dict[str, object], name: str) -> int:
    value = given[name]
    assert isinstance(value, int)
    return value
