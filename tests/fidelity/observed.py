"""What one run came to, real or modelled, in the terms in which the two are compared. Knows neither
of them.

Times are microseconds of the relay. ``own_time`` reads from a run without limits how long the
library itself takes before a connection and before a message: what lies between an answer and the
next command beyond the network's share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from sim.relay.transcript import Transcript

TRANSACTION = ("MAIL", "RCPT", "DATA", "BODY", "RSET", "NOOP")
"""Commands whose preparation is the sender's time for a message; that of all others is its time for
a connection.
"""


class Network(NamedTuple):
    """Microseconds of a round trip and of the relay's own time for a command; ``tls`` as in a
    scenario.
    """

    rtt: int
    relay_time: int
    tls: str = "none"


@dataclass(frozen=True)
class Observed:
    """Counts, and the lines of each connection. ``duration`` is from the first connection to the
    last thing judged before a good-bye.
    """

    accepted: int
    lost: int
    incidents: Mapping[str, int]
    connections: int
    logins: int
    failed_logins: int
    duration: int
    talks: Counter[tuple[str, ...]]
    version: str = ""


def observed(
    result: Mapping[str, Any],
    transcripts: Sequence[Transcript],
    *,
    messages: int | None = None,
    **more: Any,
) -> Observed:
    """From a result and its transcripts; ``messages`` were given to a program whose result cannot
    know.
    """
    accepted = result["messages"]["accepted"]
    # From what was said: a result ends with its last message, and some libraries connect once more
    # behind it.
    logins = [line for each in transcripts for line in each.lines if line.startswith("AUTH")]
    return Observed(
        accepted=accepted,
        lost=result["messages"]["lost"] if messages is None else messages - accepted,
        incidents={
            limit: count for limit, count in result["incidents"]["by_limit"].items() if count
        },
        connections=len(transcripts),
        logins=len(logins),
        failed_logins=sum(line.endswith(" 535") for line in logins),
        duration=duration(transcripts),
        talks=Counter(tuple(each.lines) for each in transcripts),
        **more,
    )


def duration(transcripts: Sequence[Transcript]) -> int:
    """From the first line to the last that is no good-bye: how a program closes at its very end is
    no part of its pace.
    """
    times = [
        at
        for each in transcripts
        for at, line in zip(each.times, each.lines, strict=True)
        if not line.startswith(("QUIT", "EOF"))
    ]
    return max(times) - min(times) if times else 0


def own_time(
    transcripts: Sequence[Transcript], network: Network, *, sequential: bool
) -> tuple[int, int]:
    """The library's own microseconds for a connection and for a message, the means over the run.

    ``sequential`` says that one connection begins where the one before has ended, so that what lies
    between counts too.
    """
    for_connections = 0
    for_messages = 0
    messages = 0
    for each in transcripts:
        for before, line, gap in _gaps(each, network):
            if line.startswith(TRANSACTION):
                for_messages += gap
            else:
                for_connections += gap
            messages += line.startswith("BODY") and not before.startswith("EOF")
    ordered = sorted((each for each in transcripts if each.times), key=lambda each: each.times[0])
    if sequential:
        for one, following in pairwise(ordered):
            answered = 0 if one.lines[-1] == "EOF" else network.rtt + network.relay_time
            for_connections += max(0, following.times[0] - one.times[-1] - answered)
    return for_connections // max(1, len(ordered)), for_messages // max(1, messages)


def _gaps(transcript: Transcript, network: Network) -> list[tuple[str, str, int]]:
    """Each line behind the first with the one before it and the sender's own time between; none for
    what came in one go.
    """
    found = []
    for index in range(1, len(transcript.lines)):
        before = transcript.lines[index - 1]
        line = transcript.lines[index]
        trips = 1 + line.count(" 334") + before.startswith("STARTTLS")
        trips += (1 + (network.tls == "implicit")) * (
            index == 1
        )  # TCP, and TLS, lie before the greeting's own
        commands = 1 + line.count(" 334") - (index == 1)
        if line != "EOF":
            spent = (
                transcript.times[index]
                - transcript.times[index - 1]
                - trips * network.rtt
                - commands * network.relay_time
            )
            found.append((before, line, max(0, spent)))
    return found
