"""The pages that there are, so that one can lead to another. Knows their names, not what is on
them.
"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_KNOWN = "places"


def know(pages: dict[str, StreamlitPage]) -> None:
    """The pages by name, and the one that was asked for is gone to."""
    st.session_state[_KNOWN] = pages


def ask(name: str) -> None:
    """From a callback: the next run goes to that page."""
    st.session_state["go"] = name


def go_where_asked() -> None:
    """Goes to the page that a callback asked for; not called from a callback."""
    name = st.session_state.pop("go", None)
    if name is not None:
        st.switch_page(st.session_state[_KNOWN][name])


def link(name: str, label: str) -> None:
    """A link to a page."""
    st.page_link(st.session_state[_KNOWN][name], label=label)
