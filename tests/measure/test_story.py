"""The story of each connection: every row of the recorder stands in one life, in order of time, and
nothing beside them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sim.measure.story import STEP_KINDS, Story
from sim.scenario import build
from sim.world import World, strategy_of


def told(**tables: Any) -> tuple[World, Story]:
    """A run and its story; without jitter unless the tables say so."""
    tables = {"network": {"jitter": 0}, "workload": {"kind": "batch", "messages": 30}, **tables}
    scenario = build(tables, "here", "here", Path())
    world = World(scenario, strategy_of(scenario))
    world.run()
    return world, world.story()


def kinds(story: Story, place: int = 0) -> list[str]:
    return [step.kind for step in story.lives(place, 1)[0].steps]


def test_the_sixth_transaction_is_seen_to_be_refused():
    _, story = told(sender={"strategy": "one-connection"})
    assert kinds(story) == ["greeting", "login", *["transaction"] * 5, "refused"]
    life = story.lives(0, 1)[0]
    assert life.accepted == 5
    assert life.ended
    assert life.steps[-1].limit == "transactions_per_connection"
    assert life.steps[-1].what.startswith("message 6: 421 ")
    assert life.until == life.steps[-1].until


def test_a_wrong_password_and_a_refused_greeting_are_told_apart():
    _, story = told(
        sender={"strategy": "connection-per-message"},
        faults={"wrong_password": {"from": 0, "until": "1h"}},
    )
    assert kinds(story) == ["greeting", "failed", "open"]
    _, story = told(sender={"strategy": "connection-per-message"}, policy={"connections_per_ip": 1})
    assert kinds(story, 1) == ["refused"]
    assert story.lives(1, 1)[0].username is None


def test_what_lies_beyond_the_end_of_the_run_is_not_told():
    world, story = told(sender={"strategy": "paced"}, until="2s")
    assert story.last == 2_000_000 - 1
    assert all(step.until <= story.last for life in story.lives(0, 99) for step in life.steps)
    assert not story.lives(len(story.opened) - 1, 1)[0].ended
    assert world.result().connections.opened == len(story.opened)


@given(
    st.sampled_from(["paced", "batches", "connection-per-message", "retry"]),
    st.integers(1, 5),
    st.integers(0, 5),
)
def test_every_row_stands_in_one_life(strategy, workers, seed):
    world, story = told(
        sender={"strategy": strategy, "workers": workers},
        seed=seed,
        network={},
        policy={"transactions_per_connection": 3, "logins_per_username": {"count": 4, "per": "2s"}},
        until="60s",
    )
    result = world.result()
    lives = story.lives(0, 10_000)
    assert len(lives) == result.connections.opened
    steps = [step for life in lives for step in life.steps]
    assert {step.kind for step in steps} <= set(STEP_KINDS)
    assert (
        sum(step.kind == "transaction" for step in steps)
        == result.messages.accepted + result.messages.duplicated
    )
    assert sum(step.kind == "refused" for step in steps) == result.incidents.total
    assert sum(step.kind == "login" for step in steps) == result.logins.accepted
    assert sum(len(story.messages_on(life.connection)) for life in lives) == len(
        world.recorder.accepted_ids
    )
    for life in lives:
        edges = [life.from_, *(edge for step in life.steps for edge in step[:2])]
        assert edges == sorted(edges)
        assert edges[-1] == life.until or not life.steps
