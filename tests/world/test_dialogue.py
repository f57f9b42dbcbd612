"""A connection spelt out command by command: its time and transcript against ``connect`` and
``send``, and each way it can end.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.errors import Disconnected, Refused, StrategyError
from sim.strategies.catalogue import Strategy
from sim.strategies.dialogue import Say
from sim.world import World
from tests.world.worlds import QUIET, scenario

OPENING = ["GREETING 220", "EHLO 250", "AUTH PLAIN 235"]
ONE = ["MAIL 250", "RCPT 250", "DATA 354", "BODY 250"]


def run(work: Any, **tables: Any) -> tuple[World, Any, list[list[str]]]:
    chosen = scenario(**({"workload": {"kind": "batch", "messages": 7}} | tables))
    made = World(chosen, Strategy("work", work, {}, ""), transcribe=True)
    result = made.run()
    assert result.error is None, result.error
    return made, result, made.transcripts()


def spelt(sender: Any, batch: Any) -> None:
    """What WorldConnection does, by commands."""
    dialogue = sender.dial()
    dialogue.greeting()
    dialogue.say(Say("EHLO"))
    if sender.tls == "starttls":
        dialogue.say(Say("STARTTLS"))
        dialogue.say(Say("EHLO"))
    dialogue.say(Say("AUTH"))
    for message in batch:
        for verb in ("MAIL", "RCPT", "DATA", "BODY"):
            reply = dialogue.say(Say(verb, message if verb != "DATA" else None))[0]
            if not reply.ok:
                return
    dialogue.say(Say("QUIT"))


def called(sender: Any, batch: Any) -> None:
    try:
        with sender.connect() as connection:
            for message in batch:
                connection.send(message)
    except (Refused, Disconnected):
        pass


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("policy", ["unlimited", "mailersend"])
@pytest.mark.parametrize("jitter", [0, 0.2])
def test_it_is_the_same_as_connect_and_send(tls, policy, jitter):
    network = {"rtt": "40ms", "relay_time": "5ms", "jitter": jitter, "tls": tls}
    network["client_time"] = {"connection": "7ms", "message": "3ms"}
    seen = []
    for way in (spelt, called):
        seen_at: list[float] = []

        def work(sender, way=way, seen_at=seen_at):
            while batch := sender.take(6):
                way(sender, batch)
                seen_at.append(sender.now())

        _, result, transcripts = run(work, policy={"use": policy}, network=network)
        seen.append((seen_at, transcripts, result.to_dict()))
    assert seen[0] == seen[1]


def test_commands_in_one_go_share_the_trip():
    times = []

    def work(sender):
        (message,) = sender.take()
        dialogue = sender.dial()
        dialogue.greeting()
        dialogue.say(Say("EHLO"))
        dialogue.say(Say("AUTH"))
        begun = sender.now()
        replies = dialogue.say(Say("MAIL", message), Say("RCPT", message), Say("DATA"))
        times.append(round((sender.now() - begun) * 1000, 6))
        assert [reply.code for reply in replies] == [250, 250, 354]
        begun = sender.now()
        replies = dialogue.say(Say("BODY", message), Say("QUIT"))
        times.append(round((sender.now() - begun) * 1000, 6))
        assert [reply.code for reply in replies] == [250, 221]
        assert not dialogue.open

    _, _, transcripts = run(work, network=QUIET | {"relay_time": "5ms"})
    assert times == [40 + 3 * 5, 40 + 2 * 5]
    assert transcripts == [[*OPENING, *ONE, "QUIT 221"]]


def test_what_stands_behind_a_refusal_that_closes_is_not_answered():
    def work(sender):
        batch = sender.take(6)
        dialogue = sender.dial()
        dialogue.greeting()
        dialogue.say(Say("EHLO"))
        dialogue.say(Say("AUTH"))
        for message in batch[:5]:
            dialogue.say(Say("MAIL", message), Say("RCPT", message), Say("DATA"))
            dialogue.say(Say("BODY", message))
        replies = dialogue.say(Say("MAIL", batch[5]), Say("RCPT", batch[5]), Say("DATA"))
        assert [reply.code for reply in replies] == [421]
        assert not dialogue.open
        with pytest.raises(Disconnected):
            dialogue.say(Say("QUIT"))

    _, result, transcripts = run(work, policy={"use": "mailersend"})
    assert transcripts == [[*OPENING, *(ONE * 5), "MAIL 421"]]
    assert result.incidents.total == 1


@pytest.mark.parametrize(
    ("said", "trips", "line"),
    [
        (Say("AUTH"), 1, "AUTH PLAIN 235"),
        (Say("AUTH", initial=False), 2, "AUTH PLAIN 334 235"),
        (Say("AUTH", mechanism="LOGIN"), 2, "AUTH LOGIN 334 235"),
        (Say("AUTH", mechanism="LOGIN", initial=False), 3, "AUTH LOGIN 334 334 235"),
    ],
)
def test_a_mechanism_costs_its_trips(said, trips, line):
    times = []

    def work(sender):
        sender.take()
        dialogue = sender.dial()
        dialogue.greeting()
        dialogue.say(Say("EHLO"))
        begun = sender.now()
        assert dialogue.say(said)[0].code == 235
        times.append(round((sender.now() - begun) * 1000, 6))
        dialogue.leave(quit=False)

    _, _, transcripts = run(work, network=QUIET)
    assert times == [trips * 40]
    assert transcripts == [["GREETING 220", "EHLO 250", line, "EOF"]]


def test_a_connection_dies_with_its_relay():
    def work(sender):
        sender.take()
        dialogue = sender.dial()
        assert dialogue.greeting().ok
        sender.sleep(2)
        with pytest.raises(Disconnected):
            dialogue.say(Say("EHLO"))
        assert not dialogue.open
        with pytest.raises(Disconnected):
            sender.dial()

    _, _, transcripts = run(work, faults={"relay_down": [{"at": "1s", "for": "1m"}]})
    assert transcripts == [["GREETING 220", "EOF"]]


def test_each_drop_leaves_a_connection_that_is_closed():
    def work(sender):
        while batch := sender.take():
            try:
                spelt(sender, batch)
            except Disconnected:
                sender.put_back(batch[0])

    made, result, _ = run(work, faults={"drop_connection": 0.2})
    assert result.messages.lost == 0
    assert result.connections.opened > 7
    assert len(made.recorder.closed_at) == result.connections.opened


def test_a_login_of_several_parts_dies_as_often_as_one_of_a_single_part():
    """The chance is a command's, on the live port too."""

    def logins(auth: Say) -> list[bool]:
        found = []

        def work(sender):
            while sender.take():
                dialogue = sender.dial()
                try:
                    dialogue.greeting()
                    found.append(
                        dialogue.say(auth if dialogue.say(Say("EHLO"))[0].ok else Say("QUIT"))[
                            0
                        ].code
                        == 235
                    )
                except Disconnected:
                    found.append(False)
                dialogue.leave(quit=False)

        run(
            work,
            workload={"kind": "batch", "messages": 50},
            faults={"drop_connection": 0.4},
            policy={"use": "unlimited"},
        )
        return found

    plain = logins(Say("AUTH"))
    assert plain == logins(Say("AUTH", mechanism="LOGIN", initial=False))
    assert any(plain)
    assert not all(plain)


@pytest.mark.parametrize("said", [(), (Say("AUTH"), Say("QUIT")), (Say("MAIL"),), (Say("EXPN"),)])
def test_nonsense_is_told(said):
    def work(sender):
        sender.take()
        dialogue = sender.dial()
        dialogue.greeting()
        with pytest.raises(StrategyError):
            dialogue.say(*said)

    run(work)


def test_patience_ends_before_a_slow_answer_and_the_relay_has_acted():
    def work(sender):
        (message,) = sender.take()
        dialogue = sender.dial(10.0)
        dialogue.greeting()
        dialogue.say(Say("EHLO"))
        dialogue.say(Say("AUTH"))
        for verb in ("MAIL", "RCPT", "DATA"):
            dialogue.say(Say(verb, message if verb != "DATA" else None))
        sender.sleep(60 - sender.now())
        begun = sender.now()
        with pytest.raises(Disconnected):
            dialogue.say(Say("BODY", message))
        assert not dialogue.open
        assert sender.now() - begun == pytest.approx(10)

    slow = {"slow": {"at": "1m", "for": "1m", "factor": 2000}}
    _, result, transcripts = run(work, network=QUIET | {"relay_time": "10ms"}, faults=slow)
    assert transcripts == [[*OPENING, *ONE, "EOF"]]
    assert (result.messages.accepted, result.messages.lost) == (1, 6)


def test_patience_with_tcp_itself():
    def work(sender):
        sender.take()
        with pytest.raises(Disconnected):
            sender.dial(0.03)
        assert sender.now() == 0.03
        dialogue = sender.dial(0.04)
        assert dialogue.greeting().ok

    _, result, _ = run(work, network=QUIET)
    assert result.connections.opened == 1
