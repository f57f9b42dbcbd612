"""Writes the reference pages from the code before Sphinx reads the sources.

The pages are in ``docs/generated``, which is not under version control: the commands' help, the
scenario file and the result, the shipped policies and strategies, the Python API, and the drawing
of the packages.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "generated"
DRAWN = (
    ("cli", "ui"),
    ("report", "check", "battery"),
    ("plan", "sweep"),
    ("runner",),
    ("world", "live", "production"),
    ("explain", "scenario"),
    ("strategies", "measure"),
    ("relay",),
    ("limits", "smtp"),
)
"""The packages in rows, from the top to the bottom of the drawing."""


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("config-inited", lambda app, config: write_all())
    return {"parallel_read_safe": True}


def write_all() -> None:
    """Writes every generated page."""
    FOLDER.mkdir(exist_ok=True)
    pages = {
        "cli.md": cli_page(),
        "scenario.md": (ROOT / "scenarios" / "REFERENCE.md").read_text(encoding="utf-8"),
        "policies.md": policies_page(),
        "strategies.md": strategies_page(),
        "python.md": python_page(),
        "house.svg": drawing(),
    }
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def cli_page() -> str:
    """The help of every command."""
    from sim.cli import COMMANDS, cli

    parts = ["# Command line\n"]
    for name in COMMANDS:
        context = click.Context(cli, info_name="relaysim")
        command = cli.get_command(context, name)
        assert command is not None, name
        inner = click.Context(command, info_name=name, parent=context, max_content_width=90)
        parts.append(f"## relaysim {name}\n\n```text\n{command.get_help(inner)}\n```\n")
    return "\n".join(parts)


def policies_page() -> str:
    """The shipped policies as their files, with the source of each number."""
    parts = [
        "# Policies\n",
        "A policy file has a relay's limits and replies, with their sources.\n",
    ]
    files = sorted((ROOT / "sim" / "policies").glob("*.toml"))
    parts += [f"## {path.stem}\n\n```toml\n{path.read_text('utf-8')}```\n" for path in files]
    return "\n".join(parts)


def strategies_page() -> str:
    """The shipped strategies and library models with their options."""
    from sim.strategies import catalogue

    parts = ["# Strategies and library models\n"]
    for name in catalogue.SHIPPED:
        one = catalogue.shipped(name)
        parts.append(f"## {name}\n\n{one.about}\n")
        if one.options:
            parts += ["| option | default | meaning |", "| --- | --- | --- |"]
            for option, default in one.options.items():
                meaning = one.explained.get(option, "").replace("|", "\\|")
                parts.append(f"| `{option}` | `{json.dumps(default)}` | {meaning} |")
            parts.append("")
    return "\n".join(parts)


def python_page() -> str:
    """The public names of ``import relaysim``, from their docstrings."""
    import relaysim

    parts = ["# Python API\n", "```python\nimport relaysim\n```\n"]
    for name in relaysim.__all__:
        value = getattr(relaysim, name)
        if name.startswith("__"):
            continue
        kind = "autoclass" if isinstance(value, type) else "autofunction"
        home = f"{value.__module__}.{value.__qualname__}"
        members = ":members:\n" if kind == "autoclass" and name in WITH_MEMBERS else ""
        parts.append(f"## {name}\n\n```{{eval-rst}}\n.. {kind}:: {home}\n{indented(members)}```\n")
    return "\n".join(parts)


WITH_MEMBERS = {"Connection", "Message", "Running", "Sender"}


def indented(text: str) -> str:
    """``text`` as options of a directive."""
    return f"   {text}\n" if text else ""


def imported_by(package: str) -> Iterator[str]:
    """The packages of ``sim`` that the files of ``package`` import."""
    for path in (ROOT / "sim" / package).rglob("*.py"):
        depth = len(path.relative_to(ROOT / "sim").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == depth:
                names = [node.module] if node.module else [alias.name for alias in node.names]
                yield from (str(name).partition(".")[0] for name in names)


def drawing() -> str:
    """The packages as boxes and their imports as lines, as SVG. Measured from the code."""
    width, height, across, down = 150, 44, 200, 84
    places = {
        package: (40 + across * column + (3 - len(row)) * across / 2, 20 + down * line)
        for line, row in enumerate(DRAWN)
        for column, package in enumerate(row)
    }
    shapes = []
    for package, (x, y) in places.items():
        for other in sorted(set(imported_by(package)) & places.keys() - {package}):
            to_x, to_y = places[other]
            shapes.append(
                f'<line x1="{x + width / 2}" y1="{y + height}" x2="{to_x + width / 2}" y2="{to_y}"'
                ' stroke="#8a94a6" stroke-width="1" opacity="0.55"/>'
            )
    for package, (x, y) in places.items():
        shapes.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="#1b6ca8"/>'
            f'<text x="{x + width / 2}" y="{y + 28}" text-anchor="middle" fill="#ffffff"'
            f' font-family="sans-serif" font-size="17">{package}</text>'
        )
    size = f'viewBox="0 0 {across * 3 + 40} {down * len(DRAWN)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(shapes)}</svg>\n'
