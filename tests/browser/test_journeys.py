"""The journeys that the dashboard is made for, each done in a real browser from the first click to
what a person wanted to know.
"""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.journey import (
    PACED,
    POOL,
    chart,
    choose,
    drawn,
    endless,
    figure,
    idle,
    number,
    set_number,
    verdict,
    visit,
)

LOST = re.compile(r"^400$")


def test_the_first_screen_already_shows_an_instructive_run(page: Page, dashboard: str):
    visit(page, dashboard)
    drawn(page)
    expect(verdict(page)).to_contain_text("400 of 1,000 messages were lost")
    expect(verdict(page)).to_contain_text("with 421")
    expect(number(page, "Lost")).to_have_text(LOST)
    for label in ("Accepted a minute", "Incidents", "99% within", "Time to drain"):
        expect(number(page, label)).to_be_in_viewport()
    expect(figure(page)).to_be_in_viewport()
    expect(page.get_by_label("maxMessages", exact=True)).to_have_value("100")


def test_a_misconfigured_pool_is_explained_and_the_fix_applied(page: Page, dashboard: str):
    visit(page, dashboard, said=POOL)
    drawn(page)
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.get_by_text("5 transactions a connection are allowed").first).to_be_visible()
    expect(page.get_by_text("never have passed on this connection")).to_be_visible()
    expect(page.get_by_text("Set maxMessages from 100 to 5").first).to_be_visible()
    whole = page.locator(".st-key-remedy-whole")
    expect(whole).to_contain_text("no limit refuses anything and nothing is lost")
    whole.get_by_role("button", name="Apply and run").click()
    expect(verdict(page)).to_contain_text("All 1,000 messages got through")
    expect(number(page, "Incidents")).to_have_text("0")
    expect(number(page, "Lost")).to_have_text("0")
    expect(page.get_by_label("maxMessages", exact=True)).to_have_value("5")


def test_two_settings_stand_side_by_side_with_their_differences_marked(page: Page, dashboard: str):
    visit(page, dashboard, said={**PACED, "sender.workers": "4"})
    drawn(page)
    page.get_by_role("button", name="Keep", exact=True).click()
    idle(page)
    set_number(page, "Workers", "1")
    page.wait_for_url(lambda url: "sender.workers=4" not in url)  # once the page has taken it
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("A: paced, workers 4").first).to_be_visible()
    expect(page.get_by_text("B: paced, workers 1").first).to_be_visible()
    expect(page.get_by_text("in A", exact=False).first).to_be_visible()
    expect(chart(page, "Accepted messages over time")).to_be_visible()
    page.wait_for_url("**against=**")


def test_a_link_shows_a_colleague_the_same_page(page: Page, dashboard: str, chromium: Browser):
    visit(page, dashboard, said=PACED)
    drawn(page)
    choose(page, "Library or strategy", "batches")
    expect(page.get_by_label("pause", exact=True)).to_have_value("0.5s")
    set_number(page, "size", "7")
    set_number(page, "Workers", "3")
    page.wait_for_url(lambda url: "sender.options.size=7" in url and "sender.workers=3" in url)
    idle(page)
    told = verdict(page).inner_text()
    context = chromium.new_context(viewport={"width": 1400, "height": 950})
    other = context.new_page()
    other.goto(page.url)
    expect(verdict(other)).to_have_text(told, use_inner_text=True)
    expect(other.get_by_label("size", exact=True)).to_have_value("7")
    expect(other.get_by_label("Workers", exact=True)).to_have_value("3")
    context.close()


def upload(page: Page, dashboard: str, text: str) -> None:
    visit(page, dashboard, "scenarios", PACED)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "mine.toml", "mimeType": "application/toml", "buffer": text.encode()}
    )


def test_a_broken_file_is_explained_line_by_line(page: Page, dashboard: str):
    upload(
        page, dashboard, '[workload]\nkind = "batch"\nmesages = 10\n[sender]\nstrategy = "padec"\n'
    )
    expect(verdict(page)).to_contain_text("workload.mesages: unknown key")
    expect(verdict(page)).to_contain_text('"padec" is no shipped strategy; did you mean "paced"?')
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("Nothing was run")).to_be_visible()
    upload(page, dashboard, "this is = = not TOML")
    expect(verdict(page)).to_contain_text("is not valid TOML")


def test_a_file_that_names_code_or_a_path_is_refused(page: Page, dashboard: str):
    batch = '[workload]\nkind = "batch"\nmessages = 10\n'
    upload(page, dashboard, batch + '[sender]\nstrategy = "../evil.py:run"\n')
    expect(verdict(page)).to_contain_text("names code, which this page refuses")
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("Nothing was run")).to_be_visible()
    upload(page, dashboard, batch + '[sender]\ncode = "newsletter.py:send_all"\n')
    expect(verdict(page)).to_contain_text("names code on the machine that serves this page")
    upload(page, dashboard, batch + '[sender]\nstrategy = "paced"\n[policy]\nuse = "/own.toml"\n')
    expect(verdict(page)).to_contain_text("This page opens no file")
    visit(page, dashboard, said={**PACED, "sender.strategy": "evil.py:run"})
    expect(verdict(page)).to_contain_text("names code, which this page refuses")


def test_a_shipped_scenario_is_opened_changed_and_run(page: Page, dashboard: str):
    visit(page, dashboard, "scenarios", PACED)
    choose(page, "Shipped scenarios", "01 one connection")
    text = page.get_by_role("textbox", name=re.compile("Text of"))
    expect(text).to_have_value(re.compile("one-connection"))
    text.fill(text.input_value().replace("one-connection", "paced"))
    page.get_by_role("button", name="Run it").click()
    expect(verdict(page)).to_contain_text("got through in")
    expect(page.get_by_text("Expectations:")).to_be_visible()


def test_a_long_run_shows_progress_and_can_be_stopped(page: Page, dashboard: str):
    with endless(page, dashboard):
        expect(page.get_by_test_id("stProgress")).to_be_visible()
    page.get_by_role("button", name="Start over").click()
    expect(verdict(page)).to_contain_text("400 of 1,000 messages were lost")


def test_a_wrong_number_is_explained_beside_its_control(page: Page, dashboard: str):
    visit(page, dashboard, said={**PACED, "sender.strategy": "batches"})
    drawn(page)
    set_number(page, "pause", "1 hr")
    beside = page.get_by_test_id("stSidebar").get_by_text('"1 hr" is not a duration; write "1h"')
    expect(beside).to_be_visible()
    set_number(page, "pause", "1h")
    expect(beside).not_to_be_visible()
    idle(page)
    set_number(page, "Usernames", "5")
    expect(
        page.get_by_test_id("stSidebar").get_by_text("usernames = 5 is more than workers = 1")
    ).to_be_visible()
