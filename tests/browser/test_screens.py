"""Other screens and hands: a phone, dark colours, the keyboard alone, files to take away, and ten
people at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LONG
from tests.browser.journey import (
    ENDLESS,
    PACED,
    POOL,
    drawn,
    endless,
    goes_on,
    idle,
    number,
    progress,
    set_number,
    stopped,
    verdict,
    visit,
)


@contextmanager
def person(chromium: Browser, **screen: Any) -> Iterator[Page]:
    """One more person with a browser of their own: nothing is shared with the others, no cookie and
    no storage.
    """
    context = chromium.new_context(**{"viewport": {"width": 1000, "height": 700}, **screen})
    context.set_default_timeout(LONG)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("where", ["", "explain", "compare", "plan", "scenarios"])
def test_a_phone_never_scrolls_sideways(chromium: Browser, dashboard: str, where: str):
    with person(
        chromium, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    ) as page:
        visit(page, dashboard, where, POOL)
        if not where:
            drawn(page)
        page.wait_for_function(FITS)


FITS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const figures = [...document.querySelectorAll('[data-testid=stVegaLiteChart] svg')];
  return document.documentElement.scrollWidth <= innerWidth && main.scrollWidth <= main.clientWidth
    && figures.every(each => each.getBoundingClientRect().width <= innerWidth);
}"""


def test_dark_colours_reach_the_figures(chromium: Browser, dashboard: str):
    with person(chromium, color_scheme="dark") as page:
        visit(page, dashboard, said=PACED)
        drawn(page)
        page.wait_for_function(
            "getComputedStyle(document.querySelector('[data-testid=stVegaLiteChart] svg')).backgroundColor.match(/\\d+/g).slice(0, 3)"
            ".every(one => Number(one) < 60)"
        )
        expect(
            page.locator('[data-testid="stVegaLiteChart"] path[fill="#56B4E9"]').first
        ).to_be_visible()


def test_the_keyboard_alone_changes_a_setting(page: Page, dashboard: str):
    visit(page, dashboard, said=PACED)
    drawn(page)
    idle(page)
    for label in (
        "size",
        "spacing",
        "Workers",
    ):  # the browser fetches each kind of control when it first needs it
        expect(page.get_by_label(label, exact=True)).to_be_visible()
    page.get_by_role("combobox", name="Library or strategy").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Workers":
            break
    else:
        raise AssertionError("twenty times Tab does not lead from the strategy to the workers")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**sender.workers=2**")
    expect(verdict(page)).to_contain_text("All 200 messages got through")


def test_results_can_be_taken_away(page: Page, dashboard: str):
    visit(page, dashboard, said=POOL)
    drawn(page)
    idle(page)
    got = {}
    for label in (
        "JSON",
        "Incidents as CSV",
        "Throughput as PNG",
        "Windows as PNG",
        "Connections as PNG",
        "Scenario as TOML",
    ):
        with page.expect_download() as download:
            page.get_by_role("button", name=label, exact=True).click()
        got[label] = download.value.path().read_bytes()
    result = json.loads(got["JSON"])
    assert (result["schema"], result["messages"]["lost"]) == (1, 400)
    assert got["Incidents as CSV"].count(b"\n") == result["incidents"]["total"] + 1
    assert all(
        got[f"{name} as PNG"].startswith(b"\x89PNG")
        for name in ("Throughput", "Windows", "Connections")
    )
    assert b'strategy = "nodemailer"' in got["Scenario as TOML"]


def test_ten_people_at_once_see_each_their_own(chromium: Browser, dashboard: str):
    with ExitStack() as leaving:
        first, *others = [leaving.enter_context(person(chromium)) for _ in range(10)]
        with endless(first, dashboard):
            for place, page in enumerate(others, 1):
                said = {
                    "workload.kind": "batch",
                    "workload.messages": str(place * 10),
                    "sender.strategy": "paced",
                }
                page.goto(f"{dashboard}/?{urlencode(said)}", wait_until="commit")
            for place, page in enumerate(others, 1):
                expect(verdict(page)).to_contain_text(f"All {place * 10} messages got through")
            for place, page in enumerate(others, 1):
                set_number(page, "Messages", str(place * 10 + 5))
            for place, page in enumerate(others, 1):
                expect(verdict(page)).to_contain_text(f"All {place * 10 + 5} messages got through")
                expect(number(page, "Incidents")).to_have_text("0")
                assert not page.get_by_test_id("stException").count()


def test_who_has_the_same_setting_may_stop_it_for_himself_alone(
    chromium: Browser, page: Page, dashboard: str
):
    with person(chromium) as other, endless(page, dashboard):
        visit(other, dashboard, said=ENDLESS)
        expect(progress(other)).to_be_visible()
        stopped(other)
        set_number(other, "Messages", "90")
        other.wait_for_url("**workload.messages=90**")
        goes_on(page)


def test_a_setting_is_changed_while_another_s_long_run_goes_on(
    chromium: Browser, page: Page, dashboard: str
):
    with person(chromium) as other, endless(other, dashboard):
        visit(page, dashboard, said=PACED)
        set_number(page, "Messages", "90")
        expect(verdict(page)).to_contain_text("All 90 messages got through")
