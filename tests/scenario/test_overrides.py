"""Overrides: which of them a mistake comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.scenario import load_scenario

GOOD = '[workload]\nkind = "batch"\nmessages = 3\n[sender]\nstrategy = "paced"\n'


def mistakes(folder: Path, text: str, *overrides: str) -> list[str]:
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, overrides)
    return str(caught.value).replace(str(path), "x.toml").splitlines()


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("workload.messages=x", "workload.messages"),
        ("workload=5", "workload"),
        ('sender={strategy="pased"}', "sender.strategy"),
        ("polcy.window=sliding", "polcy"),
        ("sender.usernames=4", "sender"),
        ("sender.options.sise=4", "sender.options.sise"),
        ('expect."messages.acepted"=== 3', "expect.messages.acepted"),
        ("expect.messages.acepted=== 3", "expect.messages.acepted"),
        ("#x=3", "#x"),
        ("[a]\n[b]\nc=3", r"[a]\n[b]\nc"),
    ],
)
def test_a_mistake_of_an_override_has_the_override_as_its_place(
    override: str, key: str, tmp_path: Path
) -> None:
    (line,) = mistakes(tmp_path, GOOD, "seed=2", override)
    said = override.replace("\n", r"\n")
    assert line.startswith(f"--set {said} (on x.toml): {key}: ")


def test_what_an_override_makes_of_the_keys_around_it_is_its_mistake_too(tmp_path: Path) -> None:
    lines = mistakes(tmp_path, GOOD, "seed=2", "workload.kind=poisson")
    assert [line.partition(": ")[0] for line in lines] == [
        "--set workload.kind=poisson (on x.toml)"
    ] * 3


def test_a_mistake_of_the_file_stays_the_files(tmp_path: Path) -> None:
    text = GOOD.replace("messages", "mesages") + "[policy]\nwindw = 3\n"
    places = [
        line.split(": ")[:2] for line in mistakes(tmp_path, text, "policy.window=slidin", "seed=3")
    ]
    assert sorted(places) == [
        ["--set policy.window=slidin (on x.toml)", "policy.window"],
        ["x.toml", "policy.windw"],
        ["x.toml", "workload.mesages"],
        ["x.toml", "workload.messages"],
    ]
