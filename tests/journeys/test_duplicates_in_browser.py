"""Duplicates on the page of a service, gone through with a real browser: by keys, by buttons, without a script."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from copied_photos import save_groups
from page_visits import DESKTOP, PHONE, Visitor, index, look, served, window

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = 3
GROUP, KEPT = ".groups > .group", ".groups > .group:focus .member.kept .name"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory):
    place: Path = tmp_path_factory.mktemp("copies")
    save_groups(place / "photos", GROUPS)
    index(place / "photos", place / "photos.lookalike")
    with served(place / "photos.lookalike") as found:
        yield found


@pytest.fixture
def visit(browser: Browser, address: str):
    """`visit(visitor)` is a page in a fresh browser window, at a collection in which was looked for duplicates."""
    with ExitStack() as windows:

        def opened(visitor: Visitor = DESKTOP, **more) -> Page:
            page = windows.enter_context(window(browser, visitor, address, (), more))
            page.goto("/duplicates?lang=en")
            if not page.locator(GROUP).count():
                page.get_by_role("button", name="Look for duplicates").click()
                expect(page.locator(GROUP)).to_have_count(GROUPS)
                page.wait_for_load_state()  # what hears keys is there behind all that is seen
            return page

        yield opened


@pytest.mark.parametrize("visitor", [DESKTOP, PHONE, Visitor("uk", 1280, 900, "dark")], ids=lambda each: each.name)
def test_groups_can_be_read_by_everyone(visit, visitor):
    page = visit(visitor)
    for name, at in (("duplicates", "/duplicates"), ("bursts", "/duplicates?kind=burst")):
        page.goto(f"{at}{'&' if '?' in at else '?'}lang={visitor.language}")
        assert page.locator("html").get_attribute("lang") == visitor.language
        look(page, visitor, name)
    page.goto("/?q=red&all=1")
    expect(page.locator("a.copies")).to_have_count(GROUPS)
    look(page, visitor, "with-copies")
    page.locator("a.copies").first.click()
    expect(page.locator("dialog[open] .member")).to_have_count(3)
    look(page, visitor, "copies")


def test_keys_choose_what_is_kept_and_take_it_back(visit):
    page = visit()
    page.keyboard.press("j")
    first = page.locator(KEPT).inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator(KEPT)).not_to_have_text(first)
    chosen = page.locator(KEPT).inner_text()
    expect(page.locator(".groups:not([aria-busy])")).to_be_visible()  # all is stored
    page.reload()
    expect(page.locator(GROUP).first.locator(".kept .name")).to_have_text(chosen)
    page.keyboard.press("j")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("u")
    expect(page.locator(KEPT)).to_have_text(chosen)
    page.locator(GROUP).first.locator(".member", has_text=first).get_by_role("button", name="Keep").click()
    expect(page.locator(GROUP).first.locator(".kept .name")).to_have_text(first)
    expect(page.locator(".groups:not([aria-busy])")).to_be_visible()


def test_keys_part_what_is_not_the_same_and_take_it_back(visit):
    page = visit()
    page.keyboard.press("j")
    page.keyboard.press("n")
    first, second = page.locator(GROUP).nth(0), page.locator(GROUP).nth(1)
    expect(first).to_contain_class("parted")
    expect(second).to_be_focused()
    look(page, DESKTOP, "parted")
    page.keyboard.press("k")
    page.keyboard.press("u")
    expect(first).not_to_contain_class("parted")
    expect(first).to_be_focused()
    one = second.locator(".member:not(.kept)").first
    one.get_by_role("button", name="Not the same").click()
    expect(one).to_contain_class("parted")
    expect(second).not_to_contain_class("parted")
    expect(page.locator(".groups:not([aria-busy])")).to_be_visible()  # all is stored
    page.reload()
    expect(page.get_by_role("heading", name="Said to be not the same")).to_be_visible()
    expect(page.locator(GROUP).nth(1).locator(".member")).to_have_count(2)
    page.locator("table").get_by_role("button", name="Undo").click()
    expect(page.locator(GROUP).nth(1).locator(".member")).to_have_count(3)


def test_enter_shows_details_and_escape_comes_back_to_the_group(visit):
    page = visit()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open] dl")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.wait_for_url("**/duplicates*")
    page.keyboard.press("j")
    expect(page.locator(GROUP).nth(2)).to_be_focused()


def test_without_a_script_decisions_are_forms(visit):
    page = visit(java_script_enabled=False)
    page.locator(GROUP).last.get_by_role("button", name="Not the same").first.click()
    expect(page.locator(GROUP).last.locator(".member")).to_have_count(2)
    page.locator("table").get_by_role("button", name="Undo").click()
    expect(page.locator(GROUP).last.locator(".member")).to_have_count(3)
