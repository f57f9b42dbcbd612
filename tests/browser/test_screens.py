"""Other screens and hands: a phone, dark colours, the keyboard alone, files to take away, and ten people at once."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LONG
from tests.browser.journey import PACED, POOL, drawn, figure, idle, number, set_number, verdict, visit


@pytest.mark.parametrize("where", ["", "explain", "compare", "plan", "scenarios"])
def test_a_phone_never_scrolls_sideways(chromium: Browser, dashboard: str, where: str):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    visit(page, dashboard, where, POOL)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth")
    if not where:
        expect(figure(page)).to_be_visible()
        assert (figure(page).bounding_box() or {"width": 1e9})["width"] <= 390
    context.close()


def test_dark_colours_reach_the_figures(chromium: Browser, dashboard: str):
    context = chromium.new_context(viewport={"width": 1400, "height": 950}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(LONG)
    visit(page, dashboard, said=PACED)
    drawn(page)
    page.wait_for_function(
        "getComputedStyle(document.querySelector('[data-testid=stVegaLiteChart] svg')).backgroundColor.match(/\\d+/g).slice(0, 3)"
        ".every(one => Number(one) < 60)"
    )
    expect(page.locator('[data-testid="stVegaLiteChart"] path[fill="#56B4E9"]').first).to_be_visible()
    context.close()


def test_the_keyboard_alone_changes_a_setting(page: Page, dashboard: str):
    visit(page, dashboard, said=PACED)
    drawn(page)
    idle(page)
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
    got = {}
    for label in ("JSON", "Incidents as CSV", "Throughput as PNG", "Windows as PNG", "Connections as PNG", "Scenario as TOML"):
        with page.expect_download() as download:
            page.get_by_role("button", name=label, exact=True).click()
        got[label] = download.value.path().read_bytes()
    result = json.loads(got["JSON"])
    assert (result["schema"], result["messages"]["lost"]) == (1, 400)
    assert got["Incidents as CSV"].count(b"\n") == result["incidents"]["total"] + 1
    assert all(got[f"{name} as PNG"].startswith(b"\x89PNG") for name in ("Throughput", "Windows", "Connections"))
    assert b'strategy = "nodemailer"' in got["Scenario as TOML"]


def stopped(page: Page) -> None:
    """Ends a long run, so that it does not go on behind the next test, or sees that it is done."""
    button = page.get_by_role("button", name="Stop this run")
    if button.is_visible():
        button.click()
        expect(page.get_by_text("The run was stopped").or_(verdict(page)).first).to_be_visible()


def test_ten_people_at_once_see_each_their_own(chromium: Browser, dashboard: str):
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    context.set_default_timeout(LONG)
    pages = [context.new_page() for _ in range(10)]
    pages[0].goto(f"{dashboard}/?workload.kind=batch&workload.messages=1000000&sender.strategy=paced&sender.workers=20")
    expect(pages[0].get_by_role("button", name="Stop this run")).to_be_visible()
    for place, page in enumerate(pages[1:], 1):
        page.goto(f"{dashboard}/?workload.kind=batch&workload.messages={place * 10}&sender.strategy=paced", wait_until="commit")
    for place, page in enumerate(pages[1:], 1):
        expect(verdict(page)).to_contain_text(f"All {place * 10} messages got through")
    for place, page in enumerate(pages[1:], 1):
        set_number(page, "Messages", str(place * 10 + 5))
    for place, page in enumerate(pages[1:], 1):
        expect(verdict(page)).to_contain_text(f"All {place * 10 + 5} messages got through")
        expect(number(page, "Incidents")).to_have_text("0")
    stopped(pages[0])
    context.close()


def test_a_setting_is_changed_while_another_s_long_run_goes_on(chromium: Browser, page: Page, dashboard: str):
    context = chromium.new_context()
    long = context.new_page()
    long.goto(f"{dashboard}/?workload.kind=batch&workload.messages=1000000&sender.strategy=paced&sender.workers=30")
    expect(long.get_by_role("button", name="Stop this run")).to_be_visible()
    visit(page, dashboard, said=PACED)
    set_number(page, "Messages", "90")
    expect(verdict(page)).to_contain_text("All 90 messages got through")
    stopped(long)
    context.close()
