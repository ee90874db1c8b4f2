"""Pages of results: one file, whole, safe and readable by a parser."""

from __future__ import annotations

import base64
import io
import os
import re
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image

from lookalike.evaluation.results_page import results_page
from lookalike.testing import draw_pictures


class Page(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if data.strip():
            self.words.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page(rows, tmp_path, **named):
    out = tmp_path / "page.html"
    results_page(rows, out, **named)
    return Page(out.read_text(encoding="utf-8"))


def test_pictures_are_inside_the_page(tmp_path):
    pictures = draw_pictures(tmp_path / "pictures", 3)
    images = page([("colours", [(path, "0.5") for path in pictures])], tmp_path).all("img")
    assert [each["alt"] for each in images] == [path.name for path in pictures]
    for each in images:
        kind, data = each["src"].split(",", 1)
        assert kind == "data:image/jpeg;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (96, 72)


def test_titles_captions_and_names_are_told(tmp_path):
    (picture,) = draw_pictures(tmp_path / "pictures", 1)
    words = page([("собака", [(picture, "0.312")])], tmp_path, title="my pictures").words
    assert {"собака", "0.312", picture.name, "my pictures"} <= set(words)


def test_nothing_given_becomes_markup(tmp_path):
    evil = '"><script>alert(1)</script>'
    (picture,) = draw_pictures(tmp_path / "pictures", 1)
    named = picture.rename(picture.with_name("a'&b;c.jpg"))
    shown = page([(evil, [(named, evil), (Path("<b>.jpg"), evil)])], tmp_path, title=evil)
    assert not shown.all("script")
    assert not shown.all("b")
    assert shown.all("img")[0]["alt"] == "a'&b;c.jpg"
    assert shown.words.count(evil) == 5  # twice as the page's title, the heading, two captions


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(tmp_path):
    (picture,) = draw_pictures(tmp_path / "pictures", 1)
    results_page([("x", [(picture, "1")])], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<link|url\(|@import", text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text


def test_what_cannot_be_shown_is_said(tmp_path):
    shown = page([("x", [("/nowhere/gone.jpg", "0.1")]), ("nothing", [])], tmp_path)
    assert {"cannot be shown", "gone.jpg", "no pictures"} <= set(shown.words)


def test_names_that_are_not_text_are_written_readably(tmp_path):
    shown = page([("x", [(os.fsdecode(b"/nowhere/\xff\n.jpg"), "0.1")])], tmp_path)
    assert "? .jpg" in shown.words
