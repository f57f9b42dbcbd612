"""Takes the README's pictures of the dashboard anew: ``python -m tests.browser.screenshots``. Not a
test.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.dashboard import served
from tests.browser.conftest import FLAGS
from tests.browser.journey import POOL, chart, drawn, idle, visit

FOLDER = Path(__file__).parents[2] / "notebooks"


def taken(page: Page, address: str) -> None:
    """Explore, Explain and the life of the connections."""
    visit(page, address, said=POOL)
    drawn(page)
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / "dashboard-explore.png")
    page.get_by_role("tab", name="Connections").click()
    chart(page, "The life of").scroll_into_view_if_needed()
    page.get_by_role("tab", name="Connections").evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / "dashboard-connections.png")
    visit(page, address, "explain", POOL)
    page.get_by_text("Set maxMessages from 100 to 5").first.wait_for()
    idle(page)
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / "dashboard-explain.png")


def main() -> None:
    """Serves, looks, leaves nothing running."""
    process, address = served()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=FLAGS
            )
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.set_default_timeout(300_000)
            taken(page, address)
            browser.close()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
