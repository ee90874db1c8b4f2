"""The page to review duplicates in a real browser without a network: keys decide, commands come out."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from lookalike.engine.duplicates_report import DuplicateGroup, Member
from lookalike.evaluation.duplicates_page import duplicates_page
from page_visits import TIMEOUT_MS

if TYPE_CHECKING:
    from pathlib import Path


def group(number: int, *paths: Path) -> DuplicateGroup:
    items = tuple(
        Member(
            id=f"{number}{place}" * 4,
            uri=str(path),
            picture=number,
            width=96,
            height=72,
            format="PNG",
            size=1000 + place,
            modified_ns=0,
            offline=False,
            kind="copy",
            sure=0.9 if place else 1.0,
            reasons=(("saved_again", "<PNG>"),) if place else (),
            metadata={"taken": "2024-05-03T17:20:11", "taken_from": "exif"},
        )
        for place, path in enumerate(paths)
    )
    return DuplicateGroup(
        "copy", 0.9, items[1].reasons, items, items[0].id, (("most_pixels", "96", "72"),), f"copy:{number}:x"
    )


@pytest.fixture
def page_file(drawn, tmp_path) -> Path:
    paths = sorted(drawn.iterdir())
    shutil.copy(paths[3], tmp_path / "odd & name.png")
    groups = [group(1, *paths[:3]), group(2, tmp_path / "odd & name.png", tmp_path / "gone.png")]
    assert duplicates_page(groups, tmp_path / "review.html") == (2, 0)
    return tmp_path / "review.html"


@pytest.fixture
def page(browser, page_file, request):
    """The page, opened; afterwards nothing was complained about and nobody asked."""
    with browser.new_context(offline=True, locale=getattr(request, "param", "en-GB")) as context:
        context.set_default_timeout(TIMEOUT_MS)
        opened = context.new_page()
        complaints: list[str] = []
        asked: list[str] = []
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(page_file.as_uri())
        yield opened
    assert complaints == []
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []


def test_keys_decide_and_can_be_taken_back(page):
    commands = page.locator("#commands")
    expect(commands).to_have_value("")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    expect(commands).to_have_value("lookalike duplicates --not 10101010 11111111")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(commands).to_have_value(
        "lookalike duplicates --choose 12121212\nlookalike duplicates --not 12121212 11111111"
    )
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(commands).to_have_value("")
    page.keyboard.press("j")
    expect(page.locator("section.here h2")).to_have_text("copy saved again as <PNG> 90% sure")
    page.keyboard.press("n")
    page.keyboard.press("k")
    expect(commands).to_have_value("lookalike duplicates --not 20202020 21212121")


def test_the_mouse_does_the_same(page):
    page.get_by_label("keep this").nth(1).check()
    expect(page.locator("#commands")).to_have_value("lookalike duplicates --choose 11111111")
    page.get_by_label("not the same").nth(2).check()
    expect(page.locator("#count")).to_have_text("2 decided; run these, in a terminal:")
    page.locator("h1").click()
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(page.locator("#commands")).to_have_value("")


def test_pictures_are_in_the_file_and_one_that_is_gone_is_said_to_be(page):
    assert page.locator("img").count() == 4
    page.wait_for_function("[...document.images].every((image) => image.naturalWidth > 0)")
    expect(page.locator(".empty")).to_have_text("cannot be shown now")
    assert page.locator("section").first.locator(".differs").count() == 3, "the bytes of each differ, nothing else"


@pytest.mark.parametrize("page", ["ru-RU"], indirect=True)
def test_the_page_speaks_the_browsers_language_and_others_when_asked(page):
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    expect(page.locator("h2").first).to_have_text("копия сохранена заново как <PNG> уверенность 90 %")
    expect(page.locator("figure p").first).to_have_text("остаётся: больше всего пикселей, 96 × 72")
    expect(page.locator("dl dd").nth(2)).to_have_text("1 000")
    page.get_by_label("это другая").nth(1).check()
    expect(page.locator("#count")).to_have_text("1 решение; выполните в терминале:")
    page.get_by_label("это другая").nth(2).check()
    expect(page.locator("#count")).to_have_text("2 решения; выполните в терминале:")
    page.get_by_role("button", name="Українська").press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "uk")
    expect(page).to_have_title("Повтори")
    expect(page.locator("#count")).to_have_text("2 рішення; виконайте в терміналі:")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h2").first).to_have_text("copy saved again as <PNG> 90% sure")
    expect(page.locator("dl dd").nth(2)).to_have_text("1,000")
    expect(page.locator("header p:visible")).to_have_count(1)


def test_only_so_many_groups_are_on_one_page_and_the_others_counted(drawn, tmp_path):
    paths = sorted(drawn.iterdir())[:2]
    assert duplicates_page([group(n, *paths) for n in range(1, 5)], tmp_path / "few.html", most=3) == (3, 1)
