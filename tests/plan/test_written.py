"""Tables written as TOML are read back the same."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from sim.plan.written import toml_text

plain = st.one_of(
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
tables = st.dictionaries(
    st.text(), values | st.dictionaries(st.text(), values, min_size=1, max_size=4), max_size=5
)


@given(tables)
def test_what_is_written_is_read_back(table):
    whole = {key: value for key, value in table.items() if value != {}}
    assert tomllib.loads(toml_text(whole)) == whole


def test_none_is_left_out():
    assert tomllib.loads(toml_text({"a": None, "b": {"c": None, "d": 1}})) == {"b": {"d": 1}}
