"""Each library has its three scenarios, and they tell it apart: what goes wrong, the article's fix,
the best setting.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from sim.measure import Result
from sim.scenario import load_scenario
from sim.strategies import catalogue
from sim.world import simulate

FOLDER = Path(__file__).parent.parent / "scenarios" / "libraries"
LIBRARIES = sorted(
    {file.stem.partition("-1-")[0] for file in FOLDER.glob("*-1-misconfigured.toml")}
)
KINDS = ("1-misconfigured", "2-article", "3-best")


@cache
def result_of(library: str, kind: str) -> Result:
    return simulate(load_scenario(FOLDER / f"{library}-{kind}.toml"))


def test_nothing_else_is_there():
    assert {file.stem for file in FOLDER.glob("*")} == {
        f"{library}-{kind}" for library in LIBRARIES for kind in KINDS
    }


@pytest.mark.parametrize("library", LIBRARIES)
def test_they_run_the_model_of_that_library(library):
    for kind in KINDS:
        assert load_scenario(FOLDER / f"{library}-{kind}.toml").strategy == library
    assert catalogue.shipped(library).library


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_first_loses_or_is_refused_and_the_best_is_not(library):
    wrong = result_of(library, KINDS[0])
    best = result_of(library, KINDS[2])
    assert wrong.incidents.total > 0
    assert (best.incidents.total, best.messages.lost, best.messages.duplicated) == (0, 0, 0)


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_step_is_better_than_the_one_before(library):
    wrong, article, best = (result_of(library, kind) for kind in KINDS)
    assert article.incidents.total < wrong.incidents.total
    assert best.incidents.total <= article.incidents.total
    assert best.messages.lost <= article.messages.lost <= wrong.messages.lost
    if not article.messages.lost:  # a sender that goes through its messages and loses them is quick
        assert (best.throughput.mean_per_min or 0) >= (article.throughput.mean_per_min or 0)
