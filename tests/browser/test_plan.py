"""The journey from a demand to a snippet to paste."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.journey import PACED, chart, idle, verdict, visit


def test_a_demand_becomes_a_plan_and_its_snippet_is_copied(page: Page, dashboard: str):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, dashboard, "plan", PACED)
    page.get_by_label("Messages", exact=True).fill("600")
    page.get_by_label("Messages", exact=True).press("Enter")
    idle(page)
    page.get_by_role("button", name="Plan it").click()
    expect(verdict(page)).to_contain_text("600 messages within 30 min")
    expect(page.get_by_text("Set this")).to_be_visible()
    expect(chart(page, "Ceilings of the plan")).to_be_visible()
    code = page.get_by_test_id("stCode").first
    code.hover()
    code.get_by_role("button", name=re.compile("copy", re.IGNORECASE)).click()
    page.wait_for_function(
        "async () => (await navigator.clipboard.readText()).includes('RELAY_HOST')"
    )
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == code.inner_text().strip()
    page.get_by_role("button", name="Open in Explore").click()
    expect(verdict(page)).to_contain_text("All 600 messages got through")


def test_a_demand_that_cannot_be_read_is_explained(page: Page, dashboard: str):
    visit(page, dashboard, "plan", PACED)
    page.get_by_label("Within", exact=True).fill("an hour")
    page.get_by_label("Within", exact=True).press("Enter")
    idle(page)
    page.get_by_role("button", name="Plan it").click()
    expect(verdict(page)).to_contain_text('"an hour" is not a duration')
