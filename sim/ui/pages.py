"""The pages by name, and the one that was asked for. What `app.py` calls."""

from __future__ import annotations

import streamlit as st

from . import explore


def show() -> None:
    """The whole dashboard, once."""
    st.set_page_config(
        page_title="relaysim", page_icon=":material/mark_email_read:", layout="wide", initial_sidebar_state="expanded"
    )
    pages = [st.Page(explore.page, title="Explore", icon=":material/explore:", url_path="explore", default=True)]
    st.navigation(pages, position="top").run()
