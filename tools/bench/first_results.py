"""How long until the first results are drawn, in a real browser, from the moment that a person asks.

    python tools/bench/first_results.py --collection DIR [--out FILE]

Each question is a navigation of the same window to a page that was not there before, on this computer. Drawn is the
browser's first contentful paint; only pages with pictures on them count. Goal: median below 300 ms at 100,000 items.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright
from service_load import served

ASKED = (
    "a red dress", "leather boots", "blue jeans", "a watch", "white shirt", "running shoes", "a scarf", "a dog",
    "a cat", "green grass", "two people", "a street at night",
    "food on a table", "a small child", "black shoes", "the sea",
)  # fmt: skip
TIMES = """() => {
    const page = performance.getEntriesByType("navigation")[0];
    return { answer: page.responseStart, whole: page.responseEnd,
             drawn: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
             pictures: document.querySelectorAll("#grid img").length };
}"""
PAUSE_MS = 500


def ready(port: int) -> None:
    """Wait until the service has loaded what it needs: the first answer in words."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/?q=warm", timeout=120) as answer:
        answer.read()
    time.sleep(1)


def times(port: int) -> list[dict]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    found = []
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program) as browser:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        page.goto("/")
        for words in ASKED:
            page.goto(f"/?q={words}")
            page.wait_for_timeout(PAUSE_MS)
            found.append({"words": words, **page.evaluate(TIMES)})
    return [each for each in found if each["pictures"] and each["drawn"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with served(asked.collection) as (port, _):
        ready(port)
        found = times(port)
    middle = {name: round(statistics.median(each[name] for each in found)) for name in ("answer", "whole", "drawn")}
    slowest = round(max(each["drawn"] for each in found))
    print(f"{len(found)} questions, medians in ms: {middle}; slowest drawn {slowest}; kept: {middle['drawn'] < 300}")
    if asked.out:
        asked.out.write_text(json.dumps({"median_ms": middle, "questions": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
