"""What a person installs: the lock files agree with pyproject.toml on every supported Python, and
the package is whole.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import sim

EXTRAS: dict[str, list[str]] = {
    "requirements": [],
    "requirements-ui": ["ui"],
    "requirements-dev": ["ui", "parquet", "dask", "dev"],
}
"""The extras of pyproject.toml that each lock file holds."""
PYTHONS = ["3.11.0", "3.12.0", "3.13.0"]


class Pin(NamedTuple):
    """One line of a lock file."""

    requirement: Requirement
    hashes: int

    @property
    def version(self) -> str:
        return str(self.requirement.specifier).removeprefix("==")


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    """The pyproject.toml."""
    return tomllib.loads((repository / "pyproject.toml").read_text())


def lock(path: Path) -> Iterator[Pin]:
    """The pins of a lock file; a line that is none fails."""
    text = re.sub(r"#.*", "", path.read_text())
    for entry in text.replace("\\\n", " ").splitlines():
        pin, *hashes = entry.split("--hash=")
        if pin.strip():
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", each) for each in hashes), entry
            yield Pin(Requirement(pin.strip()), len(hashes))


@pytest.fixture(scope="module")
def locks(repository: Path) -> dict[str, list[Pin]]:
    """The pins of what runs, of the dashboard, and of what is developed with."""
    return {name: list(lock(repository / ".ci" / f"{name}.lock")) for name in EXTRAS}


def chosen(pins: list[Pin], python: str, system: str = "linux") -> dict[str, Pin]:
    """The pins that hold on this Python and system, by name; two for one name fail."""
    environment: dict[str, str] = {
        name: str(value) for name, value in default_environment().items()
    }
    environment |= {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "sys_platform": system,
    }
    environment |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    found: dict[str, Pin] = {}
    for pin in pins:
        if pin.requirement.marker is None or pin.requirement.marker.evaluate(environment):
            name = canonicalize_name(pin.requirement.name)
            assert name not in found, f"{name} is pinned twice for Python {python}"
            found[name] = pin
    return found


def needed(project: dict[str, Any], name: str) -> list[Requirement]:
    """What pyproject.toml asks for, for the lock of this name."""
    asked = project["project"]["dependencies"] + project["dependency-groups"]["build"]
    extras = project["project"]["optional-dependencies"]
    asked = asked + [each for extra in EXTRAS[name] for each in extras[extra]]
    return [found for each in asked if (found := Requirement(each)).name != "relaysim"]


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", EXTRAS)
def test_the_lock_has_what_the_project_asks_for(project, locks, name, python, system):
    pins = chosen(locks[name], python, system)
    for requirement in needed(project, name):
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin, f"{requirement.name} is not in .ci/{name}.lock: run make lock"
        assert requirement.specifier.contains(pin.version), (
            f"{requirement} is locked at {pin.version}: run make lock"
        )


def test_every_pin_is_exact_and_has_hashes(locks):
    for pins in locks.values():
        for pin in pins:
            assert re.fullmatch(r"==[^,*]+", str(pin.requirement.specifier)), pin
            assert pin.hashes, pin
            assert pin.requirement.url is None, pin


@pytest.mark.parametrize("python", PYTHONS)
def test_the_tests_run_what_people_run(locks, python):
    run, dev = (chosen(locks[name], python) for name in ("requirements", "requirements-dev"))
    differing = {
        name: (pin.version, dev[name].version if name in dev else None) for name, pin in run.items()
    }
    assert not {name: pair for name, pair in differing.items() if pair[0] != pair[1]}


def test_a_result_is_the_same_bytes_on_every_python_only_if_numpy_is_the_same(locks):
    assert len({chosen(locks["requirements"], python)["numpy"].version for python in PYTHONS}) == 1


def test_the_supported_pythons_are_said_alike_everywhere(project, repository):
    supported = SpecifierSet(project["project"]["requires-python"])
    assert all(supported.contains(python) for python in PYTHONS)
    assert not supported.contains("3.10.14")
    assert not supported.contains("3.14.0")
    named = [
        each.rpartition(" ")[2]
        for each in project["project"]["classifiers"]
        if ":: Python :: 3." in each
    ]
    assert named == [python.rpartition(".")[0] for python in PYTHONS]
    assert "(3, 11) <= sys.version_info < (3, 14)" in (repository / "Makefile").read_text()
    assert "(3, 11) <= sys.version_info < (3, 14)" in (repository / ".ci" / "run").read_text()


def test_the_package_says_its_version(project):
    assert sim.__version__ == project["project"]["version"]


def test_every_dependency_says_why(repository, project):
    text = (repository / "pyproject.toml").read_text()
    asked = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["dev"]
    silent = [
        each for each in asked if not re.search(rf'^    "{re.escape(each)}", +# \w', text, re.M)
    ]
    assert not silent, f"{silent}: write behind each what it is for"


def test_the_wheel_has_the_policies_the_scenarios_the_types_and_the_command(repository, tmp_path):
    source = tmp_path / "source"
    target = tmp_path / "wheel"
    target.mkdir()
    for folder in ("sim", "scenarios"):
        shutil.copytree(
            repository / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (repository / name).exists():
            shutil.copy(repository / name, source / name)
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(target)!r})"
    done = subprocess.run(
        [sys.executable, "-c", build],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = target.glob("relaysim-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (points,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "relaysim = sim.cli:main" in archive.read(points).decode()
        assert "relaysim = relaysim_pytest" in archive.read(points).decode()
    modules = {str(path.relative_to(repository)) for path in (repository / "sim").rglob("*.py")}
    modules = {re.sub("^sim/pytest_plugin/", "relaysim_pytest/", name) for name in modules}
    modules = {re.sub("^sim/public/", "relaysim/", name) for name in modules}
    assert modules <= set(names)
    assert {
        "relaysim/py.typed",
        "sim/py.typed",
        "sim/policies/mailersend.toml",
        "sim/strategies/snippets/nodemailer.js.j2",
        "sim/policies/unlimited.toml",
        "sim/ui/icon.svg",
    } <= set(names)
    scenarios = {
        str(path.relative_to(repository / "scenarios"))
        for path in (repository / "scenarios").rglob("*.toml")
    }
    assert {f"sim/ui/scenario_files/{name}" for name in scenarios} <= set(names)
    assert not [
        name
        for name in names
        if not name.startswith(("sim/", "relaysim-", "relaysim/", "relaysim_pytest/"))
    ]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_lists_its_targets(repository):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "help"],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    listed = set(re.findall(r"^  make (\w+)", done.stdout, re.M))
    (declared,) = re.findall(r"^\.PHONY: (.*)$", (repository / "Makefile").read_text(), re.M)
    assert listed == set(declared.split())
