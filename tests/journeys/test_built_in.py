"""With nothing but the package: the built-in encoder finds what it is asked for among real photos."""

from __future__ import annotations

import json
import os


def test_the_demo_finds_the_cat_and_the_motorcycle(lookalike, tmp_path):
    shown = json.loads(lookalike("demo", "--out", tmp_path / "out", "--json").out)
    words, picture = shown["queries"]
    assert os.path.basename(words["hits"][0]["uri"]) == "chelsea.png"
    assert os.path.basename(picture["hits"][0]["uri"]) == "motorcycle_right.png"
    assert words["encoder"].startswith("builtin")
    assert {os.path.basename(shown[kind]) for kind in ("contact_sheet", "page")} <= set(os.listdir(tmp_path / "out"))


def test_the_doctor_finds_nothing_wrong(lookalike):
    ended = lookalike("doctor", "--json")
    assert json.loads(ended.out)["problems"] == []
    assert ended.code == 0
