"""The page as people meet it: a real browser before a real service.

Every visit ends with a look at what the browser complained about and whom it asked: nothing, and nobody else.
Screenshots are left in `browser-output/`.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
import subprocess
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lookalike.testing import draw_pictures
from page_visits import COMMAND, DESKTOP, HIT, PHONE, Visitor, asked, index, look, names, served, window

DRAWN = 96
VIEWS = {
    "start": "/",
    "results": "/?q=red+circle&all=1",
    "filters": "/?q=red+circle&all=1&f.category=circle&f.price=1..40",
    "more-and-less": "/?q=circle&like=p1&unlike=p2&all=1",
    "nothing": "/?q=quarterly+tax+report&where=price+%3E+999",
    "mistake": "/?q=red&where=price+%3C",
    "item": "/item/p3?q=red",
    "no-item": "/item/nowhere",
    "status": "/status",
    "sign-in": "/sign-in",
}


# --- the service and the browser -------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawn pictures, a catalogue of them and the collection of it; one picture is broken."""
    place = tmp_path_factory.mktemp("shop")
    pictures = draw_pictures(place / "pictures", DRAWN)
    (place / "pictures" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    with (place / "shop.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "image", "title", "category", "price"])
        for number, path in enumerate(pictures):
            _, colour, shape = path.stem.split("-")
            table.writerow([f"p{number}", f"pictures/{path.name}", f"{colour} {shape} {number}", shape, number / 2])
        table.writerow(["broken", "pictures/broken.jpg", "broken", "circle", 1])
    index(place / "shop.csv", place / "shop.lookalike")
    return place


@pytest.fixture(scope="module")
def address(shop):
    with served(shop / "shop.lookalike") as found:
        yield found


@pytest.fixture
def visit(browser: Browser, address: str):
    """`visit(visitor)` is a page in a fresh browser window; `refusals` are status codes that may be met there."""
    with ExitStack() as windows:

        def opened(visitor: Visitor = DESKTOP, *, at: str = address, refusals: tuple[int, ...] = (), **more) -> Page:
            return windows.enter_context(window(browser, visitor, at, refusals, more))

        yield opened


# --- how it looks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visitor", "views"),
    [
        (DESKTOP, list(VIEWS)),
        (PHONE, list(VIEWS)),
        (Visitor("uk", 1280, 900, "dark"), ["filters", "status"]),
        (Visitor("uk", 390, 844, "light"), ["results"]),
    ],
    ids=lambda each: getattr(each, "name", "views"),
)
def test_every_view_can_be_read_by_everyone(visit, visitor, views):
    page = visit(visitor, refusals=(404,))
    for name in views:
        page.goto(VIEWS[name])
        assert page.locator("html").get_attribute("lang") == visitor.language
        look(page, visitor, name)
    page.goto("/?q=red+circle&all=1")
    for number in (0, 2):
        page.locator(".pickone").nth(number).check(force=True)
    look(page, visitor, "picked")
    page.locator(HIT).first.click()
    expect(page.locator("dialog[open] dl")).to_be_visible()
    look(page, visitor, "details")


def test_the_page_is_light(visit):
    page = visit()
    came = []
    page.on("response", lambda answer: came.append(answer) if answer.request.resource_type != "image" else None)
    page.goto("/?q=red+circle&all=1")
    page.wait_for_load_state()
    assert {answer.request.resource_type for answer in came} >= {"document", "stylesheet", "script"}
    assert sum(len(answer.body()) for answer in came) < 120_000


# --- asking ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visitor", "words"), [(DESKTOP, "red circle"), (PHONE, "красный круг 🔴")], ids=["desktop", "phone"]
)
def test_words_are_typed_and_their_pictures_come(visit, visitor, words):
    page = visit(visitor)
    page.goto("/")
    page.locator("#q").fill(words)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(words)
    assert asked(page)["q"] == [words]
    assert page.locator("#q").input_value() == words


HAND_OVER = {
    "dropped": """file => {
        for (const kind of ["dragenter", "dragover", "drop"])
            document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: file, bubbles: true, cancelable: true }));
    }""",
    "pasted": """file => document.body.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: file, bubbles: true, cancelable: true }))""",
}
AS_FILE = """content => {
    const held = new DataTransfer();
    held.items.add(new File(
        [Uint8Array.from(atob(content), c => c.charCodeAt(0))], "mine.jpg", { type: "image/jpeg" },
    ));
    return held;
}"""


@pytest.mark.parametrize("way", ["picked", *HAND_OVER])
def test_a_picture_is_searched_with_and_words_beside_it(visit, shop, way):
    page, path = visit(), min((shop / "pictures").glob("0010-*"))
    page.goto("/")
    if way == "picked":
        page.set_input_files("#image", path)
    else:
        held = page.evaluate_handle(AS_FILE, base64.b64encode(path.read_bytes()).decode())
        page.evaluate(HAND_OVER[way], held)
    page.wait_for_url("**/?picture=*")
    assert names(page)[0] == "p10"
    expect(page.locator(".shown img")).to_have_js_property("complete", value=True)
    assert page.locator(".shown img").evaluate("image => image.naturalWidth") > 0
    page.locator("#q").fill("circle")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=circle*")
    assert {"q", "picture"} <= set(asked(page))
    look(page, DESKTOP, f"picture-{way}")
    page.locator(".shown").click()
    page.wait_for_url(lambda url: "picture" not in url)
    assert asked(page)["q"] == ["circle"]


def test_more_and_less_like_a_picture(visit):
    page = visit()
    page.goto("/?q=red&all=1")
    for number, sign in enumerate(("+", "−")):
        item = page.locator("#grid li").nth(number)
        item.hover()
        item.get_by_role("link", name="More like" if sign == "+" else "Less like").click()
        expect(page.locator(".chip")).to_have_count(number + 1)
        expect(page.locator(".chip").last).to_contain_text(sign)
    assert {"like", "unlike"} <= set(asked(page))
    page.locator(".chip").first.click()
    expect(page.locator(".chip")).to_have_count(1)
    assert "like" not in asked(page)


def test_filters_narrow_and_stay_when_other_words_are_typed(visit):
    page = visit()
    page.goto("/?q=red&all=1")
    page.get_by_text("Filters", exact=True).click()
    page.locator(".choice", has_text="triangle").click()
    page.locator("[name='f.price.end']").fill("20")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**f.category=triangle*")
    left = page.locator(HIT).evaluate_all("links => links.map(link => link.querySelector('img').alt)")
    assert left
    assert all("triangle" in title for title in left)
    assert all(int(name[1:]) <= 40 for name in names(page))
    page.locator("#q").fill("blue")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=blue*")
    assert asked(page)["f.category"] == ["triangle"]
    page.get_by_role("link", name="Clear all").click()
    page.wait_for_url(lambda url: "f.category" not in url)


def test_the_order_can_be_chosen(visit):
    page = visit()
    page.goto("/?q=red&all=1")
    for label in ("Oldest first", "Newest first", "Best first"):
        page.get_by_role("link", name=label).click()
        expect(page.locator(".sort a[aria-current]")).to_have_text(label)
    assert "order" not in asked(page)


def test_nothing_found_says_what_to_do(visit):
    page = visit()
    page.goto("/?q=red&where=price+%3E+9999")
    expect(page.locator("h2")).to_contain_text("Nothing here fits")
    page.goto("/?q=red&where=price+%3C")
    expect(page.get_by_role("alert")).to_contain_text("the filter ends where a value should follow")
    page.get_by_role("link", name="Without filters").click()
    expect(page.locator("#grid")).to_be_visible()


# --- going through what was found ------------------------------------------------------------------


@pytest.mark.parametrize("visitor", [DESKTOP, PHONE], ids=lambda each: each.name)
def test_more_come_while_scrolling_and_are_there_when_one_comes_back(visit, visitor):
    page = visit(visitor)
    page.goto("/?q=red&all=1")
    assert len(names(page)) == 60
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(HIT)).to_have_count(DRAWN)
    assert len(set(names(page))) == DRAWN
    before = names(page)
    page.locator(HIT).nth(80).scroll_into_view_if_needed()
    y = page.evaluate("scrollY")
    page.locator("#grid li").nth(80).locator(".over a").first.evaluate("link => link.click()")
    page.wait_for_url("**like=*")
    page.go_back()
    expect(page.locator(HIT)).to_have_count(DRAWN)
    assert names(page) == before
    page.wait_for_function("y => Math.abs(scrollY - y) < 50", arg=y)


def test_details_open_and_shut_by_keys_and_have_an_address(visit):
    page = visit()
    page.goto("/?q=red&all=1")
    search, first, second = page.url, *names(page)[:2]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog.locator("dl")).to_be_visible()
    expect(dialog.locator(".why")).to_contain_text("Similarity")
    page.wait_for_url(f"**/item/{first}?*")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/item/{second}?*")
    page.keyboard.press("Escape")
    page.wait_for_url(search)
    expect(page.locator(HIT).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/item/{second}?*")
    page.go_back()
    expect(dialog).to_have_count(0)
    page.go_forward()
    expect(page.locator("main .facts h1")).to_be_visible()
    page.get_by_role("link", name="Back to the search").click()
    expect(page.locator("#grid")).to_be_visible()
    page.wait_for_load_state()  # what hears keys is there behind all that is seen
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_who_goes_back_from_details_and_forward_at_once_is_there_again(visit):
    """A dialog tells a frame later that it was shut."""
    page = visit()
    page.goto("/?q=red&all=1")
    page.locator(HIT).first.click()
    expect(page.locator("dialog[open] dl")).to_be_visible()
    page.evaluate("addEventListener('popstate', () => history.forward(), { once: true }); history.back()")
    expect(page.locator("main .facts h1")).to_be_visible()


def test_several_are_picked_and_loaded_as_one_file(visit, shop):
    page = visit()
    page.goto("/?q=red&all=1")
    wanted = [f"{int(name[1:]):04d}" for name in names(page)[:3]]
    for number in range(3):
        page.locator("#grid li").nth(number).hover()
        page.locator(".pickone").nth(number).check()
    expect(page.locator("#count")).to_have_text("3 picked")
    with page.expect_download() as loaded:
        page.get_by_role("button", name="Download as zip").click()
    with zipfile.ZipFile(io.BytesIO(Path(loaded.value.path()).read_bytes())) as got:
        assert sorted(name[:4] for name in got.namelist()) == sorted(wanted)
        whole = {path.name: path.read_bytes() for path in (shop / "pictures").iterdir()}
        assert all(got.read(name) == whole[name] for name in got.namelist())


def test_a_language_is_chosen_and_kept(visit):
    page = visit()
    page.goto("/?q=red&all=1")
    page.get_by_role("link", name="Українська").click()
    expect(page.locator("html")).to_have_attribute("lang", "uk")
    assert asked(page)["q"] == ["red"]
    page.goto("/status")
    expect(page.locator("h1")).to_have_text(f"{DRAWN} картинок")


def test_without_a_script_there_is_everything_a_page_at_a_time(visit):
    page = visit(java_script_enabled=False)
    page.goto("/?q=red&all=1")
    first = page.locator(HIT).count()
    page.locator(".next a").click()
    expect(page.locator(HIT)).to_have_count(DRAWN - first)
    page.locator(HIT).first.click()
    expect(page.locator(".facts h1")).to_be_visible()


# --- what goes wrong, who may come in, and runs ----------------------------------------------------


def test_what_goes_wrong_is_said_on_a_page(visit, shop):
    page = visit(refusals=(404, 410, 415))
    page.goto("/")
    page.set_input_files("#image", shop / "shop.csv")
    expect(page.get_by_role("alert")).to_contain_text("the picture cannot be used")
    page.goto("/?picture=forgotten")
    expect(page.get_by_role("alert")).to_contain_text("not kept any more")
    page.goto("/nowhere")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="lookalike").click()
    expect(page.locator("h1")).to_have_text(f"{DRAWN} pictures")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ru", ("фильтр обрывается там, где ожидается значение", "картинка не подходит", "Попробовать снова")),
        ("uk", ("фільтр уривається там, де очікується значення", "картинка не підходить", "Спробувати знову")),
    ],
)
def test_what_goes_wrong_is_said_in_the_visitors_language(visit, shop, language, said):
    mistake, picture, more = said
    page = visit(visitor := Visitor(language, 1280, 900, "light"), refusals=(415, 503))
    page.goto("/?q=red&where=price+%3C")
    expect(page.get_by_role("alert")).to_contain_text(mistake)
    look(page, visitor, "mistake")
    page.goto("/")
    page.set_input_files("#image", shop / "shop.csv")
    expect(page.get_by_role("alert")).to_contain_text(picture)
    page.route("**/more?*", lambda route: route.fulfill(status=503))
    page.goto("/?q=red&all=1")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(".next")).to_contain_text(more)
    page.locator(".next a").click()
    expect(page.locator(HIT)).to_have_count(DRAWN - 60)


def test_who_has_a_token_comes_in_and_starts_a_run(visit, shop, tmp_path):
    again = shutil.copytree(shop / "pictures", tmp_path / "pictures")
    for path in sorted(again.glob("0*"))[4:]:
        path.unlink()
    index(again, tmp_path / "mine.lookalike")
    made = subprocess.run([*COMMAND, "token", "add", "me", "--write", "--json"], check=True, capture_output=True)
    with served(tmp_path / "mine.lookalike", "--host", "0.0.0.0") as at:
        page = visit(at=at, refusals=(401,))
        page.goto("/?q=red&all=1")
        page.get_by_label("Token").fill("guessed")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not known")
        page.get_by_label("Token").fill(json.loads(made.stdout)["token"])
        page.keyboard.press("Enter")
        expect(page.locator("#grid")).to_be_visible()
        assert asked(page)["q"] == ["red"]
        page.get_by_role("link", name="Status").click()
        expect(page.locator("td").first).to_contain_text("broken.jpg")
        (again / "broken.jpg").write_bytes(min((shop / "pictures").glob("0020*")).read_bytes())
        page.get_by_role("button", name="Try skipped files again").click()
        expect(page.get_by_role("status")).to_contain_text("Up to date")
        expect(page.locator("h1")).to_have_text("5 pictures")
        expect(page.locator("td")).to_have_count(0)
        page.close()
