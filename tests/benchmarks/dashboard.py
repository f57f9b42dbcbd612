"""How long a person waits at the dashboard, measured in the browser: from a control's change to the
redraw of what it changes.

The clock is the page's own: it starts at the key that leaves the control, and stops at the first
frame in which the verdict, a key number and the throughput figure all say the new setting's count.
Every change is a setting that was never run before, so that nothing comes from the cache.

    python -m tests.benchmarks.dashboard [--changes N]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.journey import drawn, idle, set_number, visit

BOUNDS = {
    "first page load": 3.0,
    "change to redraw, median": 0.5,
    "change to redraw, p95": 1.0,
    "change to all of the rest, p95": 1.5,
}
"""Seconds, for a thousand messages."""

LONG = 300_000

WATCH = """([label, told]) => {
  window.told = new Promise(done => {
    const box = document.querySelector(`input[aria-label="${label}"]`);
    const text = (selector) => document.querySelector(selector)?.textContent ?? "";
    const fig = () => document.querySelector('[data-testid=stVegaLiteChart]')?.getAttribute('aria-label') ?? "";
    let begun = 0, head = 0;
    box.addEventListener('keydown', event => { if (event.key === 'Enter') begun = performance.now(); }, {once: true});
    const look = () => {
      if (begun) {
        const numbers = text('.st-key-numbers'), sentence = text('[data-testid=stAlert]');
        if (!head && numbers.includes(told) && sentence.includes(told) && fig().includes(told)) head = performance.now();
        const idle = document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning';
        if (head && idle) return done([head - begun, performance.now() - begun]);
      }
      requestAnimationFrame(look);
    };
    look();
  });
}"""


def change(page: Page, label: str, value: int, told: str) -> tuple[float, float]:
    """Seconds to the redraw of verdict, numbers and figure, and to that of everything."""
    page.evaluate(WATCH, [label, told])
    set_number(page, label, str(value))
    head, whole = page.evaluate("window.told")
    return head / 1000, whole / 1000


def p95(values: list[float]) -> float:
    """The nearest-rank percentile."""
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]


def measured(page: Page, address: str, changes: int) -> dict[str, float]:
    """All waits of one person: the first page, then one change after the other."""
    begun = time.monotonic()
    page.goto(address)
    drawn(page)
    found = {"first page load": time.monotonic() - begun}
    idle(page)
    heads = []
    wholes = []
    for step in range(changes):
        messages = 1001 + step
        head, whole = change(page, "Messages", messages, f"of {messages:,}")
        heads.append(head)
        wholes.append(whole)
    found["change to redraw, median"], found["change to redraw, p95"] = median(heads), p95(heads)
    found["change to all of the rest, p95"] = p95(wholes)
    return found


def long_run(page: Page, address: str) -> dict[str, float]:
    """With 100,000 messages: until progress or the answer is seen, and until a change back is drawn
    while the run goes on.
    """
    visit(page, address)
    drawn(page)
    idle(page)
    seen = _until(page, 100_000, re.compile(r"Running: |of 100,000 messages|All 100,000"))
    head, _ = change(page, "Messages", 999, "of 999")
    answer = _until(page, 100_001, re.compile(r"of 100,001 messages were|All 100,001"))
    return {
        "100,000 messages: progress seen": seen,
        "100,000 messages: a change meanwhile": head,
        "100,000 messages: the answer": answer,
    }


def _until(page: Page, messages: int, told: re.Pattern[str]) -> float:
    begun = time.monotonic()
    set_number(page, "Messages", str(messages))
    page.get_by_text(told).first.wait_for()
    return time.monotonic() - begun


def served() -> tuple[subprocess.Popen[str], str]:
    """A dashboard of its own, listening."""
    command = [sys.executable, "-m", "sim", "ui", "--port", "0", "--no-open"]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return process, found[0]
    raise SystemExit("the dashboard did not start")


def main() -> int:
    """Prints each wait with its bound; 1 if one is exceeded, 0 without chromium, which is said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("dashboard: chromium is not installed, so nothing is measured", file=sys.stderr)
        return 0
    process, address = served()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1400, "height": 950})
            page.set_default_timeout(LONG)
            found = measured(page, address, options.changes) | long_run(page, address)
            browser.close()
    finally:
        process.terminate()
        process.wait()
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        load = os.getloadavg()[0]
        print(
            f"dashboard, 1,000 messages, {options.changes} changes, load {load:.1f} on {os.cpu_count()} cores"
        )
        for name, seconds in found.items():
            bound = f"   at most {BOUNDS[name]:.1f} s" if name in BOUNDS else ""
            print(f"  {name:<40}{seconds:7.3f} s{bound}")
    return int(any(found[name] > bound for name, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
