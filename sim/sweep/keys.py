"""The key of a run: a hash of everything that determines it, so that the same key is the same
result.

That is the scenario's tables with what is laid on them, the seed, the files that they name, and
this package itself: its version and the text of the parts that a run goes through. Titles decide
nothing and are left out. Knows nothing of where results are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..strategies import catalogue

DECIDE_NOTHING = ("title", "about", "seed")
"""Keys of a scenario that are not hashed: the seed stands beside them."""

PARTS = (
    "__init__.py",
    "errors.py",
    "units.py",
    "streams.py",
    "records.py",
    "schema_base.py",
    "text.py",
    "limits",
    "smtp",
    "relay",
    "policies",
    "measure",
    "strategies",
    "scenario",
    "world",
)
"""What a run goes through; the first holds the version."""


@cache
def package_digest() -> str:
    """Of the files of :data:`PARTS`, which another machine must have the same."""
    root = Path(__file__).parent.parent
    found = blake2b(digest_size=16)
    for part in PARTS:
        path = root / part
        files = [path] if path.is_file() else sorted([*path.rglob("*.py"), *path.rglob("*.toml")])
        for file in files:
            found.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


class Keys:
    """Makes keys for scenarios whose paths are relative to ``folder``; each file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, str] = {}

    def key(self, tables: Mapping[str, Any], seed: int) -> str:
        """The key of the run of these tables, overrides laid on, with ``seed``."""
        decide = {key: value for key, value in tables.items() if key not in DECIDE_NOTHING}
        written = json.dumps(
            [package_digest(), seed, decide, self._named(tables)], sort_keys=True, default=str
        )
        return blake2b(written.encode(), digest_size=16).hexdigest()

    def _named(self, tables: Mapping[str, Any]) -> list[str]:
        """Digests of the files that the tables name; a file that is not there is the run's mistake,
        not ours.
        """
        found = []
        for table, key in (
            ("policy", "use"),
            ("workload", "file"),
            ("sender", "strategy"),
            ("sender", "code"),
        ):
            value = tables[table].get(key) if isinstance(tables.get(table), Mapping) else None
            if isinstance(value, str) and ("/" in value or "." in value):
                strategy = table == "sender" and catalogue.is_path(value)
                found.append(
                    self._digest(value.rpartition(":")[0] if strategy else value, beside=strategy)
                )
        return found

    def _digest(self, name: str, *, beside: bool) -> str:
        """Of one file; ``beside`` adds every Python file in its folder, which it may import."""
        if name not in self._files:
            path = self._folder / name
            found = blake2b(digest_size=16)
            for file in sorted(path.parent.glob("*.py")) if beside and path.is_file() else [path]:
                found.update(
                    file.name.encode()
                    + b"\0"
                    + (file.read_bytes() if file.is_file() else b"")
                    + b"\0"
                )
            self._files[name] = found.hexdigest()
        return self._files[name]
