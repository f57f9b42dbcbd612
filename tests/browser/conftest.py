"""The dashboard served on loopback and a real browser to look at it with."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LONG = 600_000
"""Milliseconds that nothing takes on any machine; no test depends on how much less it is."""

expect.set_options(timeout=LONG)


@pytest.fixture(scope="session")
def dashboard() -> Iterator[str]:
    """The address of a dashboard of its own."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "sim", "ui", "--port", "0", "--no-open"]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as served:
        try:
            assert served.stdout is not None
            said = ""
            for line in served.stdout:
                said += line
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    break
            else:
                pytest.fail(f"the dashboard did not start:\n{said}")
            yield found[0]
        finally:
            served.terminate()
            served.wait()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's chromium without a window.

    Once a module and not once for all: an event loop runs in this thread as long as playwright
    does, and the tests that come behind those of the browser have loops of their own.
    """
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: the journeys through the dashboard are not tried")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a session of its own, on a desktop's screen; nothing that it asks for may come from
    another machine.
    """
    context = chromium.new_context(viewport={"width": 1400, "height": 950}, accept_downloads=True)
    context.set_default_timeout(LONG)
    tab = context.new_page()
    elsewhere: list[str] = []
    tab.on(
        "request", lambda request: elsewhere.append(request.url) if _foreign(request.url) else None
    )
    yield tab
    exceptions = tab.get_by_test_id("stException").count()
    context.close()
    assert not exceptions, "an exception reached the page"
    assert not elsewhere, f"the page asks other machines: {elsewhere}"


def _foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:"))
