"""The pages by name, and the one that was asked for. What `app.py` calls."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from . import explore

ICON = (Path(__file__).parent / "icon.svg").read_text(encoding="utf-8")


def show() -> None:
    """The whole dashboard, once."""
    st.set_page_config(page_title="relaysim", page_icon=ICON, layout="wide", initial_sidebar_state="expanded")
    pages = [st.Page(explore.page, title="Explore", icon=":material/explore:", url_path="explore", default=True)]
    st.navigation(pages, position="top").run()
