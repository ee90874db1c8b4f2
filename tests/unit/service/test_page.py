"""The page shows searches, items and states at addresses of their own, and works without a script."""

from __future__ import annotations

import re
from html import unescape

import pytest

import lookalike
from lookalike.service.settings import Served, ServiceSettings
from lookalike.testing import ToyEncoder, draw_pictures


def links(text: str, having: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="([^"]*)"', text) if having in each]


def test_the_start_says_how_many_pictures_there_are(site):
    assert "<h1>120 pictures</h1>" in site.ask("/").text
    assert "120 картинок" in site.ask("/", headers={"Accept-Language": "ru"}).text
    assert "120 картинок" in site.ask("/", lang="uk").text
    assert "language=uk" in site.ask("/", lang="uk").headers["set-cookie"]


def test_a_search_shows_pictures_with_their_names_and_sizes(site):
    text = site.ask("/", q="red circle", all="1").text
    assert text.count("<img ") == 60
    assert 'width="96" height="72" alt="' in text
    assert "<title>red circle · lookalike</title>" in text


def test_the_next_pictures_come_as_a_piece_of_the_page(site):
    text = site.ask("/", q="red", all="1").text
    address = unescape(re.search(r'data-next="([^"]*)"', text)[1])
    piece = site.ask(address).text
    assert piece.count("<img ") == 60
    assert "<html" not in piece
    assert not set(re.findall(r'data-item="([^"]*)"', text)) & set(re.findall(r'data-item="([^"]*)"', piece))


def test_filters_stand_in_the_address_and_count(site):
    text = site.ask("/", **{"q": "red", "all": "1", "f.colours": ["red"]}).text
    assert 'name="f.colours" value="red" checked' in text
    assert 0 < text.count("<img ") < 60
    assert '<input type="hidden" name="f.colours" value="red">' in text  # other words keep the filter
    assert site.ask("/", q="red", where="width < 10", all="1").text.count("<img ") == 0


def test_more_and_less_like_a_picture_are_addresses(site):
    text = site.ask("/", q="red").text
    more, less = links(text, "like=")[0], links(text, "unlike=")[0]
    assert site.ask(more).text.count('class="chip"') == 1
    assert site.ask(less).text.count('class="chip"') == 1


def test_an_item_has_a_page_and_a_piece_for_the_dialog(site):
    text = site.ask("/", q="red circle").text
    address = links(text, "/item/")[0]
    whole = site.ask(address)
    assert whole.status == 200
    assert "<dt>File</dt>" in whole.text
    piece = site.ask(address, headers={"X-Fragment": "1"}).text
    assert "<html" not in piece
    assert "<dt>File</dt>" in piece


def test_a_picture_is_searched_with_at_an_address_of_its_own(site, shown):
    path = min((shown / "pictures").glob("0*.jpg"))
    sent = site.upload("/pictures", "image", path.read_bytes())
    assert sent.status == 303
    assert path.name in site.ask(sent.headers["location"]).text
    assert "not kept any more" in site.ask("/", picture="forgotten").text


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=1>', "{{ 7 * 7 }}", "собака 🐕"]
)
def test_what_was_typed_is_shown_as_text(site, hostile):
    text = site.ask("/", q=hostile, where=hostile).text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert 'value="49"' not in text
    assert "search" in text


def test_a_picture_and_words_are_asked_together_and_the_picture_is_shown(site, shown):
    path = min((shown / "pictures").glob("0*.jpg"))
    at = site.upload("/pictures", "image", path.read_bytes()).headers["location"]
    text = site.ask(f"{at}&q=circle").text
    assert "a picture of yours + circle" in text
    small = re.search(r'<img src="(/pictures/[^"]+)"', text)[1]
    assert site.ask(small).headers["content-type"] == "image/webp"
    assert f'name="picture" value="{small.rpartition("/")[2]}"' in text


def test_who_comes_with_a_browser_is_told_on_a_page_what_went_wrong(site):
    told = site.ask("/item/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert told.status == 404
    assert 'role="alert"' in told.text
    assert site.ask("/item/nowhere").headers["content-type"] == "application/problem+json"


def test_without_a_script_the_next_page_has_an_address(site):
    text = site.ask("/", q="red", all="1").text
    address = unescape(re.search(r'class="next"><a href="([^"]*)"', text)[1])
    following = site.ask(address).text
    assert "<html" in following
    assert not set(re.findall(r'data-item="([^"]*)"', text)) & set(re.findall(r'data-item="([^"]*)"', following))


def test_mistakes_of_a_filter_are_shown_with_their_place(site):
    text = site.ask("/", q="red", where="price < ").text
    assert 'role="alert"' in text
    assert "^" in text


def test_the_state_page_lists_what_was_not_taken(site):
    text = site.ask("/status").text
    assert "broken.jpg" in text


def test_what_came_a_moment_ago_is_counted(run_service, tmp_path):
    draw_pictures(tmp_path / "pictures", 5)
    with lookalike.open(tmp_path / "new.lookalike", encoder=ToyEncoder()) as photos:
        list(photos.sync([tmp_path / "pictures"]))
        with run_service(ServiceSettings((Served("new", tmp_path / "new.lookalike"),))) as site:
            assert "<h1>5 pictures</h1>" in site.ask("/").text
            draw_pictures(tmp_path / "pictures", 7)
            list(photos.sync())
            assert "<h1>7 pictures</h1>" in site.ask("/").text


def test_the_page_is_light_and_asks_nobody_else(site):
    text = site.ask("/", q="red").text
    weight = sum(len(site.ask(path).body) for path in ("/static/page.css", "/static/page.js", "/static/icon.svg"))
    assert weight + len(text) < 120_000
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)


def test_facets_count_what_is_left_and_offer_more_values(site):
    whole = site.ask("/", q="red", all="1").text
    assert '<details class="further"><summary>More</summary>' in whole
    counts = dict(re.findall(r'name="f.colours" value="(\w+)".*?<small>(\d+)</small>', whole))
    narrow = site.ask("/", q="red", all="1", where='name ~ "red"').text
    left = dict(re.findall(r'name="f.colours" value="(\w+)".*?<small>(\d+)</small>', narrow))
    assert int(left["red"]) <= int(counts["red"])
    assert len(left) < len(counts)
