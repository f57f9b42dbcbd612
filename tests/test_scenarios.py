"""Every shipped scenario runs, holds what it expects and teaches; and the article's situations are
all there.

What an expectation cannot say (the order of blocks, that the setting advised is the one that helps)
stands here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from sim.measure import Result
from sim.scenario import load_scenario
from sim.world import simulate

FOLDER = Path(__file__).parent.parent / "scenarios"
FILES = sorted(FOLDER.rglob("*.toml"))
SITUATIONS = {
    "01-one-connection": {"transactions_per_connection"},
    "02-batches-without-pause": {"logins_per_username"},
    "03-batches-with-pause": set(),
    "04-batches-with-pause-too-many-workers": {"logins_per_username"},
    "05-paced-under-the-ceiling": set(),
    "06-login-storm": {"logins_per_username", "connections_per_ip"},
    "07-connection-storm": {"connections_per_ip"},
    "08-stale-password": {"failed_logins_per_username_ip", "failed_logins_per_ip"},
    "09-bulk-campaign": set(),
}
"""The situations of the article that need no library's model, each with the limits that it meets.
"""


@cache
def result_of(name: str, *overrides: str) -> Result:
    """The result of a shipped scenario."""
    return simulate(load_scenario(FOLDER / f"{name}.toml", overrides))


def test_the_situations_of_the_article_are_there():
    assert set(SITUATIONS) <= {file.stem for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_it_expects_holds(file):
    result = result_of(str(file.relative_to(FOLDER).with_suffix("")))
    assert [outcome for outcome in result.expectations if not outcome.passed] == []
    assert result.passed
    assert result.ended == "settled"
    assert len(result.expectations) >= 5


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_teaches(file):
    scenario = load_scenario(file)
    sentences = [part for part in scenario.about.replace("\n", " ").split(". ") if part.strip()]
    assert 2 <= len(sentences) <= 5
    assert scenario.title != scenario.name, "a title of its own"


@pytest.mark.parametrize("name", SITUATIONS)
def test_it_meets_the_limits_that_it_is_about_and_no_other(name):
    by_limit = result_of(name).incidents.by_limit
    assert {limit for limit, count in by_limit.items() if count} == SITUATIONS[name]


@pytest.mark.parametrize("name", [name for name, limits in SITUATIONS.items() if limits])
def test_its_expectations_notice_a_relay_without_the_limit(name):
    for limit in SITUATIONS[name]:
        assert not simulate(load_scenario(FOLDER / f"{name}.toml", _without(name, limit))).passed


def _without(name: str, limit: str) -> list[str]:
    """Overrides that take ``limit`` away, and with it the expectations that name it, which would
    then name no metric.
    """
    kept = [
        each
        for each in load_scenario(FOLDER / f"{name}.toml").expectations
        if limit not in each.metric
    ]
    lines = ", ".join(f'"{each.metric}" = "{each.comparison}"' for each in kept)
    return [f"policy.{limit}=false", f"expect={{ {lines} }}"]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("02-batches-without-pause", "sender.options.pause=0.5s"),
        ("04-batches-with-pause-too-many-workers", "sender.workers=3"),
    ],
)
def test_the_setting_that_it_names_is_the_one_that_helps(worse, better):
    assert result_of(worse).incidents.total > 0
    assert result_of(worse, better).incidents.total == 0


def test_a_stale_password_costs_an_hour_at_a_time_and_then_a_day():
    blocks = result_of("08-stale-password").blocks
    assert [block.limit for block in blocks] == ["failed_logins_per_username_ip"] * 9 + [
        "failed_logins_per_ip"
    ]
    assert [round(block.until_s - block.from_s) for block in blocks] == [3_600] * 9 + [86_400]
    assert [block.from_s for block in blocks] == [
        600.275 + 4_200 * round_ for round_ in range(9)
    ] + [37_860.275]
    assert blocks[0].key.username == "user1"
    assert blocks[-1].key.username is None


@pytest.mark.parametrize("window", ["fixed", "aligned", "sliding", "sliding-counter", "gcra"])
def test_paced_is_refused_by_no_way_of_counting(window):
    assert result_of("05-paced-under-the-ceiling", f"policy.window={window}").passed
