"""Visits of the page with a real browser: who comes, what a window hears, and a look at what it shows."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHOTS = Path(__file__).parents[1] / "browser-output"
TIMEOUT_MS = 300_000
"""Far more than any step takes, on a busy machine too."""
COMMAND = (sys.executable, "-m", "lookalike")
ALL_SHOWN = """() => [...document.images].every(
    (image) => image.complete || image.getBoundingClientRect().top > innerHeight)"""
HIT = "#grid a[data-item]"


@dataclass(frozen=True)
class Visitor:
    """Who comes: with what screen, in which light, speaking what."""

    language: str
    width: int
    height: int
    scheme: str

    @property
    def name(self) -> str:
        return f"{self.language}-{'phone' if self.is_phone else 'desktop'}-{self.scheme}"

    @property
    def is_phone(self) -> bool:
        return self.width < 600


DESKTOP = Visitor("en", 1280, 900, "light")
PHONE = Visitor("ru", 390, 844, "dark")


def index(what: Path, collection: Path) -> None:
    subprocess.run(
        [*COMMAND, "index", what, "--collection", collection, "--json"], check=True, capture_output=True, timeout=300
    )


@contextmanager
def served(collection: Path, *more: str):
    """The address of `lookalike serve`, until the block ends."""
    serving = subprocess.Popen(
        [*COMMAND, "serve", "--collection", collection, "--port", "0", "--json", *more], stdout=subprocess.PIPE
    )
    with serving:
        try:
            told = b""
            while not told.endswith(b"}\n"):
                told += serving.stdout.readline() or b"it ended }\n"
            yield json.loads(told)["address"].replace("0.0.0.0", "127.0.0.1")
        finally:
            serving.terminate()


@dataclass
class Heard:
    """What a browser said during a visit."""

    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


@contextmanager
def window(browser: Browser, visitor: Visitor, at: str, refusals: tuple[int, ...], more: dict):
    """A page of a fresh window. When it is left, nobody may have complained, and nobody else been asked."""
    context = browser.new_context(
        base_url=at,
        viewport={"width": visitor.width, "height": visitor.height},
        has_touch=visitor.is_phone,
        is_mobile=visitor.is_phone,
        color_scheme=visitor.scheme,
        reduced_motion="reduce",  # nothing is looked at halfway
        locale=visitor.language,
        **more,
    )
    context.set_default_timeout(TIMEOUT_MS)
    heard = Heard()
    page = context.new_page()
    page.on("console", lambda said: heard.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: heard.complaints.append(str(error)))
    page.on("request", lambda asked: heard.foreign.append(asked.url) if is_foreign(asked.url, at) else None)
    yield page
    context.close()
    allowed = tuple(f"status of {status} " for status in refusals)
    assert [each for each in heard.complaints if not any(code in each for code in allowed)] == []
    assert heard.foreign == []


def is_foreign(url: str, at: str) -> bool:
    return not url.startswith((at, "data:", "blob:"))


def look(page: Page, visitor: Visitor, name: str) -> None:
    """Keep a screenshot; nothing sticks out sideways, and axe finds nothing serious."""
    page.wait_for_function(ALL_SHOWN)
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{visitor.name}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name}: wider than the screen"
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}] == []


def asked(page: Page) -> dict[str, list[str]]:
    """What the address says: the page's own, as `page.url` may come later."""
    return parse_qs(urlsplit(page.evaluate("location.href")).query)


def names(page: Page) -> list[str]:
    return page.locator(HIT).evaluate_all("links => links.map(link => link.dataset.item)")
