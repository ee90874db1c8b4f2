"""Reports: one file that is whole, safe and readable by a parser, and the same for the same report."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from lookalike.evaluation.chart import Axis, Line
from lookalike.evaluation.report import (
    Estimate,
    Intervals,
    Plot,
    Report,
    Section,
    Sheet,
    Table,
    Text,
    Tile,
    write_report,
)
from lookalike.evaluation.thumbnails import tile_jpeg
from lookalike.testing import draw_pictures

NASTY = '<script>alert("1")</script> & "quotes"'
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Tags with attributes and the words of a page; whatever is opened has to be closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self._open = [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.words.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def text_of(*parts, about=None, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, Report("How well", (Section("Found", parts),), about or {}))
    return path.read_text(encoding="utf-8")


def every_part(tmp_path):
    (picture,) = draw_pictures(tmp_path / "drawn", 1)
    jpeg = tile_jpeg(picture.read_bytes())
    return (
        Text("A finding.", strong=True),
        Table(("metric", "old", "new"), (("hit@1", "10.0 %", "12.0 %"),), "Figures", "A note.", marked=frozenset({0})),
        Table(("query",), (("red",),), "All of them", folded=True),
        Plot(
            "Loss",
            (Line("train", ((1, 2.0), (2, 1.0)), chosen=1), Line("test", ((1, 2.5),))),
            Axis("epoch"),
            Axis("loss"),
        ),
        Intervals("Gain", (Estimate("hit@1", 0.2, -0.1, 0.5),), "points", mark=0.0),
        Sheet("Worst", (("red", (Tile(jpeg, "0.25", "a.jpg", right=True), Tile(None, "0.2", "b.jpg", right=False))),)),
    )


def test_every_part_is_shown(tmp_path):
    page = Page(text_of(*every_part(tmp_path), about={"seed": "7"}, tmp_path=tmp_path))
    for words in ("How well", "Found", "A finding.", "hit@1", "12.0 %", "A note.", "Loss", "train", "epoch", "Gain"):
        assert words in page.words, words
    assert "seed" in page.words
    assert len(page.all("svg")) == 2
    assert len(page.all("details")) == 1
    assert "cannot be shown" in page.words
    assert [words for words in page.words if words in {"right", "wrong"}] == ["right", "wrong"]


def test_pictures_are_inside_and_nothing_is_fetched_from_anywhere(tmp_path):
    text = text_of(*every_part(tmp_path), tmp_path=tmp_path)
    page = Page(text)
    (picture,) = page.all("img")
    assert base64.b64decode(picture["src"].removeprefix("data:image/jpeg;base64,")).startswith(b"\xff\xd8")
    assert page.all("script") == page.all("link") == []
    assert re.findall(r"(?:src|href|url\()\s*=?\s*[\"']?(?:https?:)?//", text) == []
    (policy,) = [each["content"] for each in page.all("meta") if "content" in each and "default-src" in each["content"]]
    assert "default-src 'none'" in policy


def test_words_from_outside_stay_words(tmp_path):
    parts = (
        Text(NASTY),
        Table((NASTY,), ((NASTY,),), NASTY, NASTY),
        Plot(NASTY, (Line(NASTY, ((0, 0),)),), Axis(NASTY), Axis(NASTY)),
        Intervals(NASTY, (Estimate(NASTY, 0, 0, 1),), NASTY),
        Sheet(NASTY, ((NASTY, (Tile(None, NASTY, NASTY),)),)),
    )
    page = Page(text_of(*parts, about={NASTY: NASTY}, tmp_path=tmp_path))
    assert page.all("script") == []
    assert page.words.count(NASTY) >= 10


def test_bytes_that_are_no_text_and_line_breaks_do_no_harm(tmp_path):
    text = text_of(Text("a\nb \udcff c"), tmp_path=tmp_path)
    assert "a b ? c" in text


def test_plots_are_drawings_a_parser_takes_with_all_points(tmp_path):
    text = text_of(*every_part(tmp_path), tmp_path=tmp_path)
    lines, intervals = (ET.fromstring(each) for each in re.findall(r"<svg.*?</svg>", text))
    assert len(lines.findall("polyline")) == 1  # of two points; a line of one point is a dot
    assert len(lines.findall("circle")) == 3  # two points and the legend
    assert [each.text for each in intervals.iter("text")].count("hit@1") == 1
    for drawing in (lines, intervals):
        width, height = (float(each) for each in drawing.attrib["viewBox"].split()[2:])
        for each in drawing.iter("circle"):
            assert 0 <= float(each.attrib["cx"]) <= width
            assert 0 <= float(each.attrib["cy"]) <= height


@pytest.mark.parametrize("part", [Plot("", (), Axis("x"), Axis("y")), Intervals("", (), "x")])
def test_nothing_to_draw_is_refused(part, tmp_path):
    with pytest.raises(ValueError, match="nothing to draw"):
        text_of(part, tmp_path=tmp_path)


def test_equal_reports_give_equal_files(tmp_path):
    parts = every_part(tmp_path)
    assert text_of(*parts, tmp_path=tmp_path) == text_of(*parts, tmp_path=tmp_path)


def test_a_long_legend_goes_on_below(tmp_path):
    lines = tuple(Line(f"an encoder with a long name {number}", ((0, number),)) for number in range(5))
    (drawing,) = re.findall(r"<svg.*?</svg>", text_of(Plot("", lines, Axis("x"), Axis("y")), tmp_path=tmp_path))
    names = [each for each in ET.fromstring(drawing).iter("text") if "long name" in (each.text or "")]
    assert len({each.attrib["y"] for each in names}) > 1
    assert all(float(each.attrib["x"]) < 760 for each in names)
