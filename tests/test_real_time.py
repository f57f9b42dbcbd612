"""That a test of real time is repeated for what the machine did and for nothing else, and that one
alone is alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import pytest

from tests import real_time
from tests.real_time import PASSES, first, takes_less_than, watched


@pytest.fixture
def machine(monkeypatch):
    """A function that says what the machine did: whether it let us go first, and how late it woke
    somebody in each pass.
    """

    def did(allowed: bool, *late: float) -> None:
        left = iter(late)

        @contextmanager
        def so_late() -> Iterator[list[float]]:
            yield [next(left)]

        monkeypatch.setattr(real_time, "first", lambda: nullcontext(allowed))
        monkeypatch.setattr(real_time, "watched", so_late)

    return did


@pytest.mark.parametrize(
    ("allowed", "late", "took", "passes"),
    [
        (True, [0.0], [1.0], 1),
        (True, [0.5], [1.0], 1),
        (True, [0.5, 0.0], [6.0, 1.0], 2),
        (False, [0.0, 0.0], [6.0, 1.0], 2),
    ],
)
def test_what_took_too_long_while_the_machine_stood_still_is_done_again(
    machine, allowed, late, took, passes
):
    machine(allowed, *late)
    left = list(reversed(took))
    alone = list[int]()

    def quiet() -> AbstractContextManager[None]:
        alone.append(len(left))
        return nullcontext()

    takes_less_than(5, left.pop, quiet)
    assert (len(took) - len(left), len(alone)) == (passes, passes - 1)


@pytest.mark.parametrize(
    ("allowed", "late", "passes"),
    [
        (True, [0.0], 1),
        (False, [0.0, 0.0], 2),
        (True, [0.5, 0.0], 2),
        (True, [0.5] * PASSES, PASSES),
    ],
)
def test_what_took_too_long_on_an_idle_machine_fails(machine, allowed, late, passes):
    machine(allowed, *late)
    left = [6.0] * PASSES
    with pytest.raises(AssertionError):
        takes_less_than(5, left.pop, nullcontext)
    assert PASSES - len(left) == passes


def test_a_thread_wakes_and_says_how_late():
    with first(), watched() as late:
        threading.Event().wait(0.2)
    assert len(late) > 1
    assert min(late) >= 0


def test_one_alone_waits_for_those_that_run_and_holds_up_those_that_come(tmp_path, turns):
    """Each has files of its own, as a process has."""
    said: list[str] = []
    inside = threading.Event()
    end = threading.Event()
    with ExitStack() as stack:
        one, other, third = (
            type(turns)(
                *(stack.enter_context((tmp_path / name).open("w")) for name in ("queue", "room"))
            )
            for _ in range(3)
        )

        def runs() -> None:
            with one.beside_others():
                inside.set()
                end.wait()
                said.append("one ends")

        def wants_to_be_alone() -> None:
            with other.beside_others(), other.alone():
                said.append("alone")

        def comes() -> None:
            with third.beside_others():
                said.append("third")

        threads = [threading.Thread(target=each) for each in (runs, wants_to_be_alone)]
        threads[0].start()
        inside.wait()
        threads[1].start()
        end.set()
        for thread in threads:
            thread.join()
        comes()
    assert said == ["one ends", "alone", "third"]
