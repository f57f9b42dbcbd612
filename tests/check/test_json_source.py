"""JSON with the line of each key, and errors for text that is not JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.check.json_source import parsed
from sim.errors import ScenarioError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def paths(value, path=()):
    """The path of every key, without the indexes of arrays."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, path)


@given(JSON, st.sampled_from([None, 1, "\t"]))
def test_every_key_of_json_has_its_line(value, indent):
    text = json.dumps(value, indent=indent)
    found, lines = parsed(text, "x.json")
    assert found == value
    assert set(lines) == set(paths(value))
    for path, line in lines.items():
        assert json.dumps(path[-1]) + ":" in text.splitlines()[line - 1]


def test_the_later_of_two_equal_keys_counts():
    found, lines = parsed('{"pool": true,\n"pool": false}', "x.json")
    assert (found, lines) == ({"pool": False}, {("pool",): 2})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "x.json:1: is not valid JSON"),
        ('{"a": 1\n\n"b"}', "x.json:3: is not valid JSON"),
        ('{"a": NaN}', "NaN is no value of JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 5_000 + "}", "is not valid JSON"),
        ("", "x.json:1: is not valid JSON"),
        ("// ours\n{}", "; JSON has no comments, take them out"),
        ('{"a": 1, // ours\n"b": 2}', "; JSON has no comments, take them out"),
        ('{"a": 1,\n}', "; take out the comma in front of the bracket"),
        ("{'a': 1}", "; write double quotes"),
        ("{a: 1}", "; write names and texts in double quotes"),
        ('{"a": process.env.A}', "; write names and texts in double quotes"),
    ],
)
def test_what_is_no_json(text, said):
    with pytest.raises(ScenarioError) as caught:
        parsed(text, "x.json")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
