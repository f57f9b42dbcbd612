"""What the journeys share: to open a setting, wait until it is drawn, read its numbers, move a
control.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

POOL = {
    "workload.kind": "batch",
    "workload.messages": "1000",
    "sender.strategy": "nodemailer",
    "sender.options.pool": "true",
}
"""The setting that the page opens with, said in its address."""

PACED = {"workload.kind": "batch", "workload.messages": "200", "sender.strategy": "paced"}


ENDLESS = {
    "workload.kind": "batch",
    "workload.messages": "1000000",
    "sender.strategy": "retry",
    "sender.options.first": "0.5ms",
    "sender.options.longest": "0.5ms",
    "faults.relay_down": '[{ at = 0, for = "8d" }]',
    "network.rtt": "0.5ms",
    "network.jitter": "0",
}
"""A run that no machine finishes while a test looks on: a relay that stays down is tried again
every half a millisecond of seven days, some six hundred million times, which takes hours. Attempts
that TCP refuses leave no record, so that it does not grow.
"""


def visit(page: Page, dashboard: str, where: str = "", said: dict[str, str] | None = None) -> None:
    """Opens a page of the dashboard with a setting in its address."""
    page.goto(f"{dashboard}/{where}" + (f"?{urlencode(said)}" if said else ""))
    idle(page)


def idle(page: Page) -> None:
    """Waits until the page has been drawn to its end."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(
        state="attached"
    )


def stop_button(page: Page) -> Locator:
    """What ends a run that is under way."""
    return page.get_by_role("button", name="Stop this run")


def progress(page: Page) -> Locator:
    """How far a run has come, in words."""
    return page.get_by_text(re.compile(r"Running: [\d,]+ of 1,000,000 messages"))


def goes_on(page: Page) -> None:
    """Sees the endless run come further than it was, which it only does while it is under way."""
    expect(progress(page)).not_to_have_text(progress(page).inner_text())


def stopped(page: Page) -> None:
    """Stops the endless run, and sees it stopped."""
    stop_button(page).click()
    expect(page.get_by_text("The run was stopped")).to_be_visible()
    expect(stop_button(page)).to_have_count(0)


@contextmanager
def endless(page: Page, dashboard: str) -> Iterator[None]:
    """While the block runs, so does the endless run; at its end the run is seen to go on still, and
    is stopped in any case.
    """
    visit(page, dashboard, said=ENDLESS)
    try:
        expect(progress(page)).to_be_visible()
        yield
        goes_on(page)
    finally:
        stopped(page)


def verdict(page: Page) -> Locator:
    """The sentence at the top."""
    return page.get_by_test_id("stAlert").first


def number(page: Page, label: str) -> Locator:
    """One of the key numbers."""
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def figure(page: Page) -> Locator:
    """The throughput figure, once it is drawn."""
    return chart(page, "Throughput over time")


def chart(page: Page, told: str) -> Locator:
    """A figure by the beginning of what a screen reader says of it."""
    return page.locator(f'[data-testid="stVegaLiteChart"][aria-label^="{told}"] svg').first


def set_number(page: Page, label: str, value: str) -> None:
    """Types a number into a control and leaves it."""
    box = page.get_by_label(label, exact=True)
    box.fill(value)
    box.press("Enter")


def choose(page: Page, label: str, option: str) -> None:
    """Chooses from a list by keyboard."""
    box = page.get_by_role("combobox", name=label)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).first.click()


def drawn(page: Page) -> None:
    """Waits until the numbers and the figure stand."""
    expect(number(page, "Incidents")).to_be_visible()
    expect(figure(page)).to_be_visible()
