"""Heat maps of drawn pictures by the toy encoder, which knows their colours and shapes."""

from __future__ import annotations

import csv
import re
import shutil
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from lookalike.core.errors import NoTextTower, SourceError
from lookalike.evaluation.heatmap import ClassText, heat_map, read_texts, write_table
from lookalike.evaluation.heatmap_picture import draw_heat_map
from lookalike.evaluation.judgements import read_captions, read_labels
from lookalike.testing import ToyEncoder


@pytest.fixture(scope="module")
def classes(drawn, tmp_path_factory):
    """The drawn pictures in a folder for each colour: eight classes of three."""
    root = tmp_path_factory.mktemp("classes")
    for picture in sorted(drawn.iterdir()):
        colour = re.split(r"[-_ ]", picture.stem)[1]
        (root / colour).mkdir(exist_ok=True)
        shutil.copy(picture, root / colour)
    return root


@pytest.fixture(scope="module")
def map(classes):
    return heat_map(ToyEncoder(), read_labels(classes), workers=1)


def test_every_picture_is_compared_with_every_class_name(map, classes):
    names = sorted(path.name for path in classes.iterdir())
    assert map.classes == map.texts == tuple(names)
    assert map.scores.shape == (24, 8)
    toy = ToyEncoder()
    with Image.open(map.pictures[5]) as image:
        vectors = toy.encode_images([np.asarray(image.convert("RGB"))])
    assert map.scores[5] == pytest.approx(toy.encode_texts(names) @ vectors[0], abs=0.02)
    assert map.separability().auc > 0.9


def test_rows_and_columns_stand_grouped_by_class(map):
    for groups in (map.picture_classes, map.text_classes):
        assert (np.diff(groups) >= 0).all()
    assert all(map.classes[group] in uri for uri, group in zip(map.pictures, map.picture_classes, strict=True))


def test_pictures_are_taken_evenly_and_always_the_same(classes):
    chosen = heat_map(ToyEncoder(), read_labels(classes), per_class=2, classes=["red", "blue"], workers=1)
    assert chosen.classes == ("blue", "red")
    blue = sorted(str(path) for path in (classes / "blue").iterdir())
    assert list(chosen.pictures[:2]) == [blue[0], blue[-1]]


def test_captions_stand_in_the_group_of_their_picture(classes, tmp_path):
    lines = ["image,caption"]
    for colour in ("red", "blue"):
        lines += [f"{path},a {colour} thing" for path in sorted((classes / colour).iterdir())[:2]]
    (tmp_path / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    map = heat_map(ToyEncoder(), read_labels(classes), captions=read_captions(tmp_path / "captions.csv"), workers=1)
    assert map.classes == ("blue", "red")
    assert map.texts == ("a blue thing", "a blue thing", "a red thing", "a red thing")
    assert map.text_classes.tolist() == map.picture_classes.tolist() == [0, 0, 1, 1]


def test_captions_of_other_pictures_are_an_error(classes, drawn, tmp_path):
    (tmp_path / "captions.csv").write_text(f"image,caption\n{next(drawn.iterdir())},red\n", encoding="utf-8")
    with pytest.raises(SourceError, match="none of the captioned pictures"):
        heat_map(ToyEncoder(), read_labels(classes), captions=read_captions(tmp_path / "captions.csv"), workers=1)


def test_texts_of_a_file_belong_to_the_class_before_the_tab(tmp_path):
    (tmp_path / "texts.txt").write_text("\ufeffsea_horse\tморський коник\n\nSea horse\nкіт\nred\t\n", encoding="utf-8")
    assert read_texts(tmp_path / "texts.txt", ["sea_horse", "red"]) == [
        ClassText("морський коник", "sea_horse"),
        ClassText("Sea horse", "sea_horse"),
        ClassText("кіт", "кіт"),
        ClassText("red", "red"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"dog\tx\n", 'line 1: there is no class "dog"'), (b"\n \n", "has no text"), (b"\xff\xfe\xff", "cannot be read")],
)
def test_a_file_of_texts_that_cannot_be_used_says_why(content, said, tmp_path):
    (tmp_path / "texts.txt").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        read_texts(tmp_path / "texts.txt", ["red"])


def test_a_text_of_no_class_is_what_pictures_are_taken_for(classes):
    texts = [ClassText("circle", "red"), ClassText("blue", "blue"), ClassText("red", "nothing here")]
    texts.append(ClassText("green", "green"))  # a class that is left out
    map = heat_map(ToyEncoder(), read_labels(classes), texts=texts, classes=["red", "blue"], workers=1)
    assert map.classes == ("blue", "red", "nothing here")
    taken = {(each["class"], each["taken_for"]) for each in map.as_dict()["confusions"]}
    assert ("red", "nothing here") in taken


def test_what_cannot_be_is_told(classes):
    labels = read_labels(classes)
    with pytest.raises(SourceError, match="there is no class pink, grey"):
        heat_map(ToyEncoder(), labels, classes=["red", "pink", "grey"], workers=1)
    with pytest.raises(SourceError, match="nothing to tell apart"):
        heat_map(ToyEncoder(), labels, classes=["red"], workers=1).as_dict()
    with pytest.raises(NoTextTower):
        heat_map(ToyEncoder(text=False), labels, workers=1)


def test_a_broken_picture_is_skipped_and_named(classes, tmp_path):
    root = shutil.copytree(classes, tmp_path / "classes")
    (root / "red" / "0.jpg").write_bytes(b"\xff\xd8\xff")
    map = heat_map(ToyEncoder(), read_labels(root), workers=1)
    assert len(map.pictures) == 24
    assert [each["uri"] for each in map.as_dict()["skipped"]] == [str(root / "red" / "0.jpg")]


def test_the_table_holds_every_cosine(map, tmp_path):
    write_table(map, tmp_path / "map.csv")
    with (tmp_path / "map.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["class", "picture", *map.texts]
    assert [row[1] for row in rows] == list(map.pictures)
    assert np.array([row[2:] for row in rows], dtype=float) == pytest.approx(map.scores, abs=1e-4)


def test_the_png_is_large_enough_to_print_and_the_same_each_time(map, tmp_path):
    for name in ("one.png", "other.png"):
        draw_heat_map(map, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    with Image.open(tmp_path / "one.png") as image:
        assert min(image.size) > 1000
        assert image.info["dpi"][0] > 140
        pixels = np.asarray(image)
    assert (pixels[:8] == 255).all()
    assert (pixels[:, -8:] == 255).all()


def test_the_svg_is_one_file_that_names_every_class_and_confusion(map, tmp_path):
    draw_heat_map(map, tmp_path / "map.svg")
    text = (tmp_path / "map.svg").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    words = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert set(map.classes) <= set(words)
    links = [each.get("href") for each in root.iter("{http://www.w3.org/2000/svg}image")]
    assert links
    assert all(link.startswith("data:image/") for link in links)


@pytest.mark.parametrize(("pictures", "texts", "groups"), [(2, 2, 2), (30, 400, 10), (900, 90, 90), (1200, 2, 2)])
def test_maps_of_any_shape_are_drawn(pictures, texts, groups, map, tmp_path):
    random = np.random.default_rng(0)
    large = replace(
        map,
        classes=tuple(f"клас {number} <&>\x01 " + "довга назва " * 9 for number in range(groups)),
        pictures=tuple(f"/nowhere/{number}.jpg" for number in range(pictures)),
        picture_classes=np.sort(np.arange(pictures) % groups),
        texts=tuple(f"text {number}" for number in range(texts)),
        text_classes=np.sort(np.arange(texts) % groups),
        scores=random.normal(size=(pictures, texts)).astype(np.float32),
    )
    for name in ("large.png", "large.svg"):
        draw_heat_map(large, tmp_path / name)
    ET.parse(tmp_path / "large.svg")
    with Image.open(tmp_path / "large.png") as image:
        assert max(image.size) < 9000


@pytest.mark.parametrize("smallest", [10, 3])
def test_rows_of_many_classes_have_names_also_where_one_class_is_small(map, tmp_path, smallest):
    of_rows, of_columns = np.repeat(np.arange(75), [10] * 74 + [smallest]), np.arange(75)
    many = replace(
        map,
        classes=tuple(f"class {number}" for number in range(75)),
        pictures=tuple(f"/nowhere/{number}.jpg" for number in range(len(of_rows))),
        picture_classes=of_rows,
        texts=tuple(f"text {number}" for number in range(75)),
        text_classes=of_columns,
        scores=np.random.default_rng(0).normal(size=(len(of_rows), 75)).astype(np.float32),
    )
    draw_heat_map(many, tmp_path / "many.svg")
    texts = ET.parse(tmp_path / "many.svg").getroot().iter("{http://www.w3.org/2000/svg}text")
    rows = [each.text for each in texts if each.get("text-anchor") == "end" and "transform" not in each.attrib]
    assert [rows.count(name) for name in many.classes] == [2] * 75  # of the map, and of the means of its blocks
