"""The page Scenarios: open a shipped file or one's own, edit its text, run it, take it away. A file
is text here, never a path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import streamlit as st

from ..errors import ScenarioError
from ..scenario import keys
from ..scenario.toml import to_toml
from . import navigation, setting, state
from .input_limits import LONGEST_TEXT
from .wording import plain

INSTALLED = Path(__file__).parent / "scenario_files"
SHIPPED = INSTALLED if INSTALLED.is_dir() else Path(__file__).parents[2] / "scenarios"
"""The scenario files: within the package where it is installed, beside it in a checkout."""
NOW = "the setting of Explore"
UPLOADED = "your file"
TEXT = "scenario:text"
NAME = "scenario:name"


def page() -> None:
    """The whole page."""
    state.tables()
    state.address()
    st.markdown("#### Open a scenario, change it, run it")
    chosen, upload = st.columns(2)
    with chosen:
        st.selectbox(
            "Shipped scenarios",
            [NOW, *shipped()],
            key="scenario:chosen",
            on_change=_open,
            format_func=_named,
        )
    with upload:
        st.file_uploader(
            "Or one of your own, a .toml file",
            type="toml",
            key="scenario:upload",
            on_change=_upload,
            max_upload_size=1,
        )
    if TEXT not in st.session_state:
        _show(NAME_OF_NOW, to_toml(state.tables()))
    st.html("<style>.stTextArea textarea {font-family: monospace; font-size: 0.9rem}</style>")
    text = st.text_area(
        _headed(st.session_state[NAME]),
        st.session_state[TEXT],
        key=TEXT,
        height=420,
        max_chars=LONGEST_TEXT,
    )
    tables, error = read(text)
    if error is not None:
        lines = "\n".join(f"- {plain(str(one))}" for one in _lines(error))
        st.error(f"This scenario cannot run as it stands.\n\n{lines}", icon=":material/edit:")
    elif tables and tables.get("about"):
        st.caption(plain(str(tables["about"])))
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Run it",
            key="scenario:run",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_run,
        )
        st.download_button(
            "Download as TOML",
            text,
            f"{st.session_state[NAME]}.toml",
            "application/toml",
            key="scenario:get",
            on_click="ignore",
            icon=":material/download:",
        )
    st.caption(
        "A file that is opened here can name no code, no policy of its own and no trace: "
        "this page opens no file of this machine."
    )


NAME_OF_NOW = "setting"


def shipped() -> dict[str, Path]:
    """The scenario files that come with the project, by their names."""
    return {
        str(path.relative_to(SHIPPED).with_suffix("")): path
        for path in sorted(SHIPPED.rglob("*.toml"))
    }


def _headed(name: str) -> str:
    return (
        "Text of the setting at the side of Explore" if name == NAME_OF_NOW else f"Text of {name}"
    )


def _named(name: str) -> str:
    return name if name == NOW else name.replace("-", " ").replace("/", ": ")


def read(text: str) -> tuple[keys.Tables | None, ScenarioError | None]:
    """The tables of a scenario's text if it can run here, else what is wrong with it."""
    try:
        tables = setting.from_text(text)
        setting.scenario_of(tables, "the scenario")
        return tables, None
    except ScenarioError as error:
        return None, error


def _lines(error: ScenarioError) -> list[str]:
    return [
        ": ".join(part for part in (one.key, one.problem) if part) for one in (error, *error.others)
    ]


def _show(name: str, text: str) -> None:
    st.session_state[NAME] = name
    st.session_state[TEXT] = text


def _open() -> None:
    name = st.session_state["scenario:chosen"]
    if name == NOW:
        _show(NAME_OF_NOW, to_toml(state.tables()))
    elif name in shipped():
        _show(Path(name).name, shipped()[name].read_text(encoding="utf-8"))


def _upload() -> None:
    file: Any = st.session_state["scenario:upload"]
    if file is None:
        return
    data = cast(bytes, file.getvalue())
    text = data[: 4 * LONGEST_TEXT].decode("utf-8", errors="replace")[:LONGEST_TEXT]
    _show(Path(file.name).stem[:80] or UPLOADED, text)


def _run() -> None:
    """Runs the text as it stands now: the very click that leaves the text box may be the one on the
    button.
    """
    tables, _ = read(st.session_state[TEXT])
    if tables is None:
        st.toast(
            "Nothing was run: what is wrong with the scenario stands below its text.",
            icon=":material/edit:",
        )
        return
    state.choose(tables)
    st.session_state.pop(TEXT, None)
    st.session_state.pop("scenario:chosen", None)
    navigation.ask("explore")
