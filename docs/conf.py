"""Sphinx settings of the documentation: `make docs` builds it without a network, and strictly."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from sim import __version__  # noqa: E402 -- the path above comes first

project = "relaysim"
author = "The relaysim authors"
copyright = "The relaysim authors"  # noqa: A001 -- the name is Sphinx's
version = release = __version__

extensions = [
    "myst_parser",  # pages are written in Markdown
    "sphinx.ext.autodoc",  # the Python API comes from the docstrings
    "sphinx_copybutton",
    "_extensions.reference",  # commands, keys, strategies and policies, generated from the code
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "examples"]
nitpicky = True  # a reference to something that does not exist is an error
nitpick_ignore_regex = [("py:.*", r".*")]  # types in signatures are shown, not linked

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
copybutton_prompt_text = "$ "

autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = "relaysim"
html_static_path = ["_static"]
html_copy_source = False
html_show_sphinx = False
