"""Errors say place, key and remedy, and survive what SimPy and process pools do to exceptions."""

from __future__ import annotations

import copy
import pickle

import pytest

from sim.errors import Disconnected, Refused, RelaysimError, ScenarioError, StrategyError, nearest

FIRST = ScenarioError("x.toml", "workload.for", '"1 hr" is not a duration; write "1h"')
OTHER = ScenarioError("x.toml", "", "is not valid TOML")


@pytest.mark.parametrize(
    "error",
    [
        FIRST,
        ScenarioError.joined([FIRST, OTHER]),
        StrategyError("x"),
        Refused(421, "Go away"),
        Disconnected("died"),
    ],
)
def test_an_error_can_be_made_again_from_its_args(error):
    for again in (type(error)(*error.args), pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(again), str(again)) == (type(error), str(error))
        assert {key: str(value) for key, value in vars(again).items()} == {
            key: str(value) for key, value in vars(error).items()
        }
    assert isinstance(error, RelaysimError)


def test_a_line_for_each_mistake():
    nested = ScenarioError.joined([ScenarioError.joined([FIRST, OTHER]), FIRST])
    line = 'x.toml: workload.for: "1 hr" is not a duration; write "1h"'
    assert str(nested).splitlines() == [line, "x.toml: is not valid TOML", line]


def test_a_refusal_is_as_a_client_sees_it():
    error = Refused(535, "No")
    assert (error.code, error.text, str(error)) == (535, "No", "535 No")


def test_the_nearest_name():
    assert nearest("wrkload", ["workload", "sender"]) == '; did you mean "workload"?'
    assert nearest("colour", ["workload", "sender"]) == ""
    assert nearest("x", []) == ""
