"""A limit that is only declared and registered appears in counts, results and the diagnosis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.measure import Recorder, Result, Rows, RunInfo, StreamingRecorder, result_of
from sim.relay import kinds
from sim.relay.kinds import KINDS, Counts, Kind, LimitSpec, WindowSpec
from sim.relay.policy import Policy, register
from sim.relay.policy_file import load

S = 1_000_000


class MessagesSpec(WindowSpec):
    """The table of the planted limits with a window."""

    stages = ("data",)


class LoginsOfIpSpec(WindowSpec):
    """The table of a limit on the logins of an IP."""

    stages = ("auth",)


class AttemptsSpec(LimitSpec):
    """The table of the planted limit without a window."""

    stages = ("auth",)


MESSAGES = Counts(
    "messages",
    at="data",
    noun="message",
    plural="messages",
    carries="message",
    attempt="{key} sent its {nth} message",
    request="Message {message} of {key}",
    remedy="Send at most one message of {one} every {spacing}, or use {more}.",
)
NEW = (
    Kind("messages_per_username", MESSAGES, kinds.USERNAME, MessagesSpec),
    Kind("logins_per_ip", kinds.LOGINS, kinds.IP, LoginsOfIpSpec),
    Kind("logins_per_connection", kinds.LOGINS, kinds.CONNECTION, AttemptsSpec),
)


@pytest.fixture
def policy() -> Iterator[Policy]:
    """A policy with the new limits and no other."""
    for kind in NEW:
        register(kind)
    overlay = {
        **dict.fromkeys((name for name in KINDS if name not in {kind.name for kind in NEW}), False),
        "messages_per_username": {"count": 2, "per": "10s"},
        "logins_per_ip": {"count": 3, "per": "10s"},
        "logins_per_connection": 1,
    }
    yield load("mailersend", overlay, "test", Path())
    for kind in NEW:
        del KINDS[kind.name]
        del Policy.model_fields[kind.name]
    Policy.model_rebuild(force=True)


def feed(recorder: Recorder | StreamingRecorder) -> None:
    """Two usernames on one IP: a sends 4 messages on two connections, of which the third is refused;
    b tries two logins on one connection.
    """
    refusal = (421, "no", "x")
    recorder.opened(0, 1, "x", None)
    recorder.opened(0, 2, "x", None)
    recorder.opened(0, 3, "x", None)
    recorder.login(1_500_000, 1, "x", "a", "accepted")
    recorder.login(1_500_000, 2, "x", "a", "accepted")
    recorder.accepted(2_500_000, 1, "1")
    recorder.accepted(3_500_000, 2, "2")
    recorder.incident(4_500_000, "messages_per_username", *refusal, "a", 1, "3")
    recorder.login(5_500_000, 3, "x", "b", "failed")
    recorder.login(6_500_000, 3, "x", "b", "refused")
    recorder.incident(6_500_000, "logins_per_ip", *refusal, "b", 3, None)
    recorder.incident(6_500_000, "logins_per_connection", *refusal, "b", 3, None)
    recorder.closed(7_500_000, 3)
    recorder.accepted(13_700_000, 1, "4")


def rows(info: RunInfo) -> Result:
    recorder = Recorder()
    feed(recorder)
    submitted = {str(number): 0 for number in range(1, 5)}
    return result_of(Rows(recorder, info, submitted, frozenset({"3"})).counts(), info)


def streaming(info: RunInfo) -> Result:
    recorder = StreamingRecorder(info.policy)
    feed(recorder)
    return result_of(recorder.counts(info, 4), info)


@pytest.mark.parametrize("result_by", [rows, streaming])
def test_new_limits_appear_everywhere(policy, result_by):
    info = RunInfo("s", "s", policy, "x", None, 20 * S, "settled", usernames=2)
    result = result_by(info)
    assert result.incidents.by_limit == {kind.name: 1 for kind in NEW}
    assert {name: series.index(1) for name, series in result.series.incidents.items()} == {
        "messages_per_username": 4,
        "logins_per_ip": 6,
        "logins_per_connection": 6,
    }
    use = result.series.in_window
    assert list(use) == [kind.name for kind in NEW]
    # Messages at 2.5, 3.5, 4.5 (refused) and 13.7 s, each in the window for 10 s.
    assert use["messages_per_username"] == [0, 0, 1, 2, *[3] * 9, 2, 2, *[1] * 5]
    # Logins at 1.5 (two), 5.5 and 6.5 s.
    assert use["logins_per_ip"] == [0, 2, 2, 2, 2, 3, *[4] * 6, *[2] * 4, 1, 0, 0, 0]
    assert use["logins_per_connection"][5:8] == [1, 2, 0]
    assert result.series.logins_in_window == [0, *[2] * 19]


@pytest.mark.parametrize("result_by", [rows, streaming])
def test_new_limits_are_explained_in_their_own_words(policy, result_by):
    info = RunInfo("s", "s", policy, "x", None, 20 * S, "settled", usernames=2)
    messages, by_ip, by_connection = result_by(info).diagnosis
    assert messages.limit == "messages_per_username"
    assert messages.what.startswith("a sent its third message within 10 s at 4.5 s. ")
    assert messages.why == (
        "This relay allows 2 messages of one username per 10 s (fixed window) "
        "and answers the next with 421."
    )
    assert messages.fix == (
        "Send at most one message of a username every 5.05 s, or use 4 usernames."
    )
    assert by_ip.what.startswith("x asked for its fourth login within 10 s at 6.5 s. ")
    assert by_connection.what.startswith("Connection 3 asked for its second login at 6.5 s. ")
