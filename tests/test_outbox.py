"""One state machine over every outbox. It compares the waiting and lost messages, and when all is
settled, with plain lists and sets.

How workers wait is in ``world/test_outbox.py`` and ``production/test_send.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from threading import Condition

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sim.errors import StrategyError
from sim.outbox import Claim, Outbox
from sim.production.outbox import ProductionOutbox
from sim.strategies.api import Message
from sim.world.clock import Clock
from sim.world.outbox import WorldOutbox, made

TOTAL = 3
GAP = 1_000
"""Microseconds from one arrival to the next, more than all steps of an example take."""

MESSAGES = made(range(TOTAL))
WORKERS = 2


class Subject(ABC):
    """An outbox under test, and the calls that differ between the doors."""

    outbox: Outbox

    @abstractmethod
    def arrive(self, index: int) -> None:
        """The message ``index`` arrives."""

    @abstractmethod
    def accept(self, index: int, delay: int) -> None:
        """The relay accepts a message, in virtual time ``delay`` microseconds ahead."""

    @abstractmethod
    def settled(self) -> bool:
        """Whether the outbox reports that all is settled now; asked after each step."""

    @abstractmethod
    def check(self, *, was_settled: bool) -> None:
        """Lets time pass, and checks what only this door has. ``was_settled``: whether all was
        settled at one of these calls.
        """


class InVirtualTime(Subject):
    """The outbox of ``sim.world``, over a clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ends: list[int] = []
        self.was_settled = False
        self.expected: list[int] = []
        arrivals = [GAP * (index + 1) for index in range(TOTAL)]
        self.world = self.outbox = WorldOutbox(
            self.clock, arrivals, lambda: self.ends.append(self.clock.moment)
        )

    def arrive(self, index: int) -> None:
        self._run_to(self.world.arrivals[index])

    def accept(self, index: int, delay: int) -> None:
        self.outbox.accept(index, self.clock.moment + delay)

    def settled(self) -> bool:
        done, total = self.outbox.progress
        if done == total and not self.was_settled:
            self.expected.append(max(self.clock.moment, self.outbox.latest))
        self.was_settled = done == total
        return self.was_settled

    def check(self, *, was_settled: bool) -> None:
        before = list(self.ends)
        self._run_to(max(self.clock.moment, self.outbox.latest))
        assert self.world.ended == was_settled
        if was_settled:
            assert self.ends == (before or [min(self.expected)]), "it ends once, at that instant"
        self.expected.clear()

    def _run_to(self, moment: int) -> None:
        self.clock.stop_at(moment, first=False)
        self.clock.run_to_end()


class InProduction(Subject):
    """The outbox of ``sim.production``."""

    def __init__(self) -> None:
        self.production = self.outbox = ProductionOutbox(Condition(), lambda: None)

    def arrive(self, index: int) -> None:
        assert self.production.add(MESSAGES[index])
        assert not self.production.add(MESSAGES[index])
        if index == TOTAL - 1:
            self.production.end_of_workload()

    def accept(self, index: int, delay: int) -> None:
        self.outbox.accept(index)

    def settled(self) -> bool:
        return self.production.settled

    def check(self, *, was_settled: bool) -> None:
        accepted = {int(name) - 1 for name in self.production.accepted_ids}
        assert len(accepted) == len(self.production.accepted_ids), "each id is listed once"
        assert accepted == {index for index, one in enumerate(self.outbox.accepted) if one}


class OutboxMachine(RuleBasedStateMachine):
    """The workers of a run in any order of calls that need not wait."""

    subject: type[Subject]

    def __init__(self) -> None:
        super().__init__()
        self.on = self.subject()
        self.outbox = self.on.outbox
        self.claims = [Claim() for _ in range(WORKERS)]
        self.held: list[set[int]] = [set() for _ in range(WORKERS)]
        self.arrived = 0
        self.box: list[int] = []
        self.accepted: set[int] = set()
        self.lost: set[int] = set()
        self.was_settled = False

    @property
    def settled(self) -> bool:
        return len(self.accepted | self.lost) == TOTAL

    def lose(self, indexes: set[int]) -> None:
        self.lost |= {
            index for index in indexes if index not in self.accepted and index not in self.box
        }

    @precondition(lambda self: self.arrived < TOTAL)
    @rule()
    def arrive(self) -> None:
        self.on.arrive(self.arrived)
        self.box.append(self.arrived)
        self.arrived += 1

    @rule()
    def time_passes(self) -> None:
        """Until then a settled message may be put back, which keeps the run alive."""
        self.was_settled = self.was_settled or self.settled
        self.on.check(was_settled=self.was_settled)

    @precondition(lambda self: self.box or self.settled)
    @rule(who=st.integers(0, WORKERS - 1), most=st.integers(1, 4))
    def take(self, who: int, most: int) -> None:
        if not self.box:
            self.time_passes()
        self.lose(self.held[who])
        expected = self.box[:most]
        del self.box[:most]
        self.held[who] = set(expected)
        taken = self.outbox.take(self.claims[who], most)
        assert taken == [MESSAGES[index] for index in expected]

    @rule(who=st.integers(0, WORKERS - 1), index=st.integers(0, TOTAL - 1))
    def put_back(self, who: int, index: int) -> None:
        if index >= self.arrived or index in self.box:
            with pytest.raises(StrategyError, match=r"message of the outbox|already"):
                self.outbox.put_back(self.claims[who], MESSAGES[index])
            return
        self.outbox.put_back(self.claims[who], MESSAGES[index])
        self.held[who].discard(index)
        self.lost.discard(index)
        self.box.insert(0, index)

    @precondition(lambda self: any(self.held))
    @rule(data=st.data())
    def put_back_what_is_held(self, data: st.DataObject) -> None:
        """The usual case, which ``put_back`` draws too rarely."""
        who = data.draw(st.sampled_from([who for who, held in enumerate(self.held) if held]))
        self.put_back(who, data.draw(st.sampled_from(sorted(self.held[who]))))

    @precondition(lambda self: self.arrived)
    @rule(data=st.data(), delay=st.integers(0, 3))
    def accept(self, data: st.DataObject, delay: int) -> None:
        """Also of a message that is lost, waits, or was accepted before."""
        index = data.draw(st.integers(0, self.arrived - 1), label="index")
        self.on.accept(index, delay)
        self.accepted.add(index)
        self.lost.discard(index)

    @rule(who=st.integers(0, WORKERS - 1))
    def give_up(self, who: int) -> None:
        self.outbox.give_up(self.claims[who])
        self.lose(self.held[who])
        self.held[who] = set()

    @precondition(lambda self: self.arrived)
    @rule(who=st.integers(0, WORKERS - 1), data=st.data())
    def give_up_one(self, who: int, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, self.arrived - 1), label="index")
        self.outbox.give_up_one(self.claims[who], MESSAGES[index])
        self.lose({index} & self.held[who])
        self.held[who].discard(index)

    @precondition(lambda self: self.arrived)
    @rule(giver=st.integers(0, WORKERS - 1), receiver=st.integers(0, WORKERS - 1), data=st.data())
    def hand_over(self, giver: int, receiver: int, data: st.DataObject) -> None:
        some = data.draw(st.sets(st.integers(0, self.arrived - 1)), label="indexes")
        passed = [MESSAGES[index] for index in some]
        self.outbox.hand_over(self.claims[giver], self.claims[receiver], passed)
        moved = some & self.held[giver]
        self.held[giver] -= moved
        self.held[receiver] |= moved

    @rule(stranger=st.sampled_from(["0", str(TOTAL + 1), "x", ""]))
    def use_a_message_of_somewhere_else(self, stranger: str) -> None:
        with pytest.raises(StrategyError, match="no message of the outbox"):
            self.outbox.index(Message(stranger, "m1@example.com", b""))

    @invariant()
    def agrees(self) -> None:
        assert self.outbox.lost() == sorted(self.lost)
        assert self.outbox.progress[0] == len(self.accepted | self.lost)
        assert [index for index in range(self.arrived) if self.outbox.accepted[index]] == sorted(
            self.accepted
        )
        assert self.on.settled() == self.settled

    def teardown(self) -> None:
        """All workers have ended."""
        self.outbox.abandon()
        left = [index for index in range(len(self.outbox.accepted)) if index not in self.accepted]
        assert self.outbox.lost() == left


def machine(kind: type[Subject]) -> type[RuleBasedStateMachine]:
    """The state machine over one kind of outbox."""
    return type(f"{kind.__name__}Machine", (OutboxMachine,), {"subject": kind})


class TestInVirtualTime(machine(InVirtualTime).TestCase):  # type: ignore[misc]
    """The state machine over the outbox of ``sim.world``."""

    settings = settings(max_examples=200, stateful_step_count=40)


class TestInProduction(machine(InProduction).TestCase):  # type: ignore[misc]
    """The state machine over the outbox of ``sim.production``."""

    settings = settings(max_examples=200, stateful_step_count=40)
