"""The pages by name, and the one that was asked for. What `app.py` calls."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from . import compare, explain, explore, navigation, plan, scenarios

ICON = Path(__file__).parent / "icon.svg"


def show() -> None:
    """The whole dashboard, once."""
    st.set_page_config(
        page_title="relaysim",
        page_icon=ICON.read_text(encoding="utf-8"),
        layout="wide",
        initial_sidebar_state="auto",
    )
    st.logo(ICON, size="large")
    pages = {
        "explore": st.Page(
            explore.page,
            title="Explore",
            icon=":material/explore:",
            url_path="explore",
            default=True,
        ),
        "explain": st.Page(
            explain.page, title="Explain", icon=":material/troubleshoot:", url_path="explain"
        ),
        "compare": st.Page(
            compare.page, title="Compare", icon=":material/compare_arrows:", url_path="compare"
        ),
        "plan": st.Page(plan.page, title="Plan", icon=":material/flag:", url_path="plan"),
        "scenarios": st.Page(
            scenarios.page, title="Scenarios", icon=":material/description:", url_path="scenarios"
        ),
    }
    navigation.know(pages)
    current = st.navigation(list(pages.values()), position="top")
    navigation.go_where_asked()
    current.run()
