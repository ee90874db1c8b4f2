"""`heatmap` and `classify` as they are typed, on drawn pictures by an encoder that finds them by colour."""

from __future__ import annotations

import csv
import shutil

import pytest


@pytest.fixture
def classes(drawn, tmp_path):
    """A folder for each of three colours."""
    for path in drawn.iterdir():
        colour = path.name.split("-")[1]
        if colour in {"red", "green", "blue"}:
            (tmp_path / "classes" / colour).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / "classes" / colour)
    return tmp_path / "classes"


def test_heatmap_draws_and_says_how_well_the_classes_are_told_apart(call, classes, colour_encoder, tmp_path):
    outs = [option for name in ("map.png", "map.svg", "map.csv") for option in ("--out", tmp_path / name)]
    called = call("heatmap", classes, "--encoder", colour_encoder, *outs)
    assert called.code == 0
    assert "9 pictures, 3 texts" in called.out
    assert "best text of its own class  100.0 %" in called.out
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "map.svg").read_text(encoding="utf-8").startswith("<svg")
    assert (tmp_path / "map.csv").read_text(encoding="utf-8-sig").startswith("class,picture,blue,green,red")
    assert called.err.count("written to") == 3


def test_heatmap_names_confusions_and_what_was_skipped(call, classes, colour_encoder, tmp_path):
    shutil.copytree(classes / "red", classes / "crimson")
    (classes / "red" / "broken.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "texts.txt").write_text("crimson\tblue\nred\tred\nblue\n", encoding="utf-8")
    called = call("heatmap", classes, "--encoder", colour_encoder, "--texts", tmp_path / "texts.txt")
    assert "crimson is taken for red: 3 of 3" in called.out
    assert "1 file skipped" in called.err
    figures = call("heatmap", classes, "--encoder", colour_encoder, "--texts", tmp_path / "texts.txt", "--json").json
    assert {"class": "crimson", "taken_for": "red", "count": 3, "of": 3} in figures["confusions"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "map.jpg"], "must end in .png, .svg or .csv"),
        (["--captions", "a.csv", "--texts", "b.txt"], "--captions or --texts"),
        (["--per-class", "0"], "0"),
        (["--out", "nowhere/map.png"], "there is no folder nowhere"),
    ],
)
def test_heatmap_refuses_wrong_usage(call, classes, options, said):
    called = call("heatmap", classes, *options)
    assert called.code == 2
    assert said in called.err


@pytest.fixture
def shop(drawn, tmp_path):
    """Photos, one may say: a folder with a copy of each drawn picture; `tmp_path/known` has them by shape."""
    shutil.copytree(drawn, tmp_path / "shop")
    for path in drawn.iterdir():
        shape = path.stem.split("-")[2]
        (tmp_path / "known" / shape).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "known" / shape)
    return tmp_path / "shop"


@pytest.fixture
def known(shop):
    return shop.with_name("known")


def test_classify_measures_then_labels_into_a_table(call, known, shop, tmp_path):
    outs = ("--out", tmp_path / "tags.csv", "--confusions", tmp_path / "confusions.csv")
    called = call("classify", shop, "--labels", known, *outs, "--min-chance", "0.4")
    assert called.code == 0, called.err
    assert "24 labelled pictures, 3 labels" in called.out
    assert all(method in called.out for method in ("neighbours", "words", "both"))
    assert called.out.count("(used)") == 1
    with (tmp_path / "tags.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labelled = [row for row in rows if row["label"]]
    assert f"{len(labelled)} of 24 pictures get a label" in called.out
    assert all(float(row["chance"]) >= 0.4 for row in labelled)
    assert len(rows) == 24
    with (tmp_path / "confusions.csv").open(encoding="utf-8", newline="") as file:
        header, *counts = csv.reader(file)
    assert header == ["label", *(row[0] for row in counts)]
    assert [sum(map(int, row[1:])) for row in counts] == [8, 8, 8]
    assert list(shop.glob("*.xmp")) == []


def test_classify_writes_sidecars_only_when_told_to_and_they_are_searched_by(call, known, shop, tmp_path):
    arguments = ("classify", shop, "--labels", known, "--by", "neighbours", "--xmp", "--min-chance", "0")
    assert "24 new ones and 0 extended ones would be written (--write does it)" in call(*arguments).err
    assert list(shop.glob("*.xmp")) == []
    done = call(*arguments, "--write", "--json").json
    assert done["sidecars"] == {"new": 24, "extended": 0, "unchanged": 0, "failed": [], "written": True}
    assert done["used"] == "neighbours"
    assert len(list(shop.glob("*.xmp"))) == 24
    assert "24 have the keyword already" in call(*arguments).err
    call("index", shop, "--collection", tmp_path / "shop.lookalike")
    label = done["pictures"][0]["label"]
    found = call(
        "search", "x", "-k", 24, "--where", f"tags = {label}", "--json", "--collection", tmp_path / "shop.lookalike"
    )
    tagged = {each["uri"] for each in done["pictures"] if each["label"] == label}
    assert {hit["uri"] for hit in found.json["hits"]} == tagged


def test_classify_refuses_what_makes_no_sense(call, known, shop, tmp_path):
    assert "--write goes with --xmp" in call("classify", shop, "--labels", known, "--write").err
    assert call("classify", shop, "--labels", known, "--write").code == 2
    missing = call("classify", tmp_path / "none", "--labels", known)
    assert missing.code == 1
    assert str(tmp_path / "none") in missing.err
