"""Folders labelled by a few labelled pictures, with the toy encoder, and what that is written to."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset
from lookalike.evaluation.judgements import read_labels
from lookalike.evaluation.labelling import Answer, label_folder, label_sidecars, write_answers
from lookalike.images.xmp import read_xmp
from lookalike.testing import ToyEncoder, draw_pictures


def thirds(vectors, labels):
    """Folds that ask for what they are given: vectors and the first labels."""
    assert len(vectors) == len(labels)
    return np.arange(len(labels)) % 3


@pytest.fixture
def shop(tmp_path):
    """48 drawn pictures, and a table with the colour of the first 32."""
    folder = tmp_path / "shop"
    draw_pictures(folder, 48)
    pictures = sorted(folder.iterdir())
    lines = [f"{path.name},{colour(path)}" for path in pictures[:32]]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *lines]), encoding="utf-8")
    return folder


def colour(path):
    return re.split(r"[-_ ]", os.path.basename(path))[1].partition(".")[0]


@pytest.fixture
def labels(shop, tmp_path):
    return read_labels(tmp_path / "labels.csv", shop)


def test_pictures_without_a_label_get_one_and_it_is_told_how_good_that_is(shop, labels):
    found = label_folder(ToyEncoder(), shop, labels, thirds, workers=1)
    assert len(found.answers) == 16
    assert np.mean([colour(each.picture.uri) == each.label for each in found.answers]) >= 0.8
    assert [each.method for each in found.validated] == ["neighbours", "words", "both"]
    assert found.used.accuracy == max(each.accuracy for each in found.validated)
    figures = found.as_dict()
    assert figures["labelled"] == 32
    assert [each["uri"] for each in figures["pictures"]] == sorted(str(path) for path in shop.iterdir())[32:]


def test_an_encoder_without_words_is_asked_by_neighbours_alone(shop, labels):
    found = label_folder(ToyEncoder(text=False), shop, labels, thirds, workers=1)
    assert [each.method for each in found.validated] == ["neighbours"]


def test_a_folder_where_all_have_labels_is_only_measured(shop, tmp_path):
    lines = [f"{path.name},{colour(path)}" for path in shop.iterdir()]
    (tmp_path / "all.csv").write_text("\n".join(["image,label", *lines]), encoding="utf-8")
    found = label_folder(ToyEncoder(), shop, read_labels(tmp_path / "all.csv", shop), thirds, workers=1)
    assert found.answers == ()
    assert found.used.accuracy > 0.8


def test_broken_pictures_are_skipped_on_both_sides(shop, tmp_path):
    first, *_, last = sorted(shop.iterdir())
    for path in (first, last):
        path.write_bytes(b"\xff\xd8\xff")
    found = label_folder(ToyEncoder(), shop, read_labels(tmp_path / "labels.csv", shop), thirds, workers=1)
    assert {each.uri for each in found.skipped} == {str(first), str(last)}
    assert (len(found.used.right), len(found.answers)) == (31, 15)


def test_labelled_pictures_are_known_by_another_path_too(shop, tmp_path):
    (tmp_path / "link").symlink_to(shop)
    found = label_folder(ToyEncoder(), tmp_path / "link", read_labels(tmp_path / "labels.csv", shop), thirds, workers=1)
    assert len(found.answers) == 16


def test_labelled_pictures_none_of_which_can_be_read_are_an_error(shop, labels):
    for picture in labels.pictures:
        Path(picture.asset.uri).write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SourceError, match="none of the 32 labelled pictures can be read"):
        label_folder(ToyEncoder(), shop, labels, thirds, workers=1)


def test_one_label_or_copies_alone_are_an_error(shop, labels, tmp_path):
    (tmp_path / "one.csv").write_text(f"image,label\n{next(shop.iterdir()).name},red\n", encoding="utf-8")
    with pytest.raises(SourceError, match="all labelled pictures are red"):
        label_folder(ToyEncoder(), shop, read_labels(tmp_path / "one.csv", shop), thirds, workers=1)
    with pytest.raises(SourceError, match="copies of one another"):
        label_folder(ToyEncoder(), shop, labels, lambda vectors, _: np.zeros(len(vectors)), workers=1)


def answer(path, label="red", chance=0.9, sidecars=()):
    return Answer(Asset(b"", str(path), 1, 1, sidecars=sidecars), label, chance)


def test_the_table_is_read_again_as_labels(shop, tmp_path):
    first, second, *_ = sorted(shop.iterdir())
    write_answers([answer(first, "a, b"), answer(second, chance=0.4)], 0.5, tmp_path / "tags.csv")
    again = read_labels(tmp_path / "tags.csv")
    assert [(each.asset.uri, each.sayings) for each in again.pictures] == [(str(first), ("a, b",))]
    assert [each.reason for each in again.skipped] == ["no label in this line"]


def test_sidecars_are_planned_then_written_then_there(shop):
    first, second, third, *_ = sorted(shop.iterdir())
    shutil.copy(first, shop / "broken.jpg")
    broken = shop / "broken.jpg.xmp"
    broken.write_bytes(b"junk")
    answers = [
        answer(first),
        answer(second),
        answer(third, chance=0.4),
        answer(shop / "broken.jpg", sidecars=(b"broken.jpg.xmp",)),
    ]
    planned = label_sidecars(answers, 0.5, write=False).as_dict()
    assert (planned["new"], planned["extended"], len(planned["failed"]), planned["written"]) == (2, 0, 1, False)
    assert list(shop.glob("*.xmp")) == [broken]
    assert label_sidecars(answers, 0.5, write=True).as_dict() == planned | {"written": True}
    assert sorted(shop.glob("*.xmp")) == sorted(
        [broken, first.with_name(first.name + ".xmp"), second.with_name(second.name + ".xmp")]
    )
    assert read_xmp(first.with_name(first.name + ".xmp").read_bytes()) == {"tags": ["red"]}
    assert broken.read_bytes() == b"junk"
    again = label_sidecars(answers, 0.5, write=True).as_dict()
    assert (again["new"], again["unchanged"]) == (0, 2)
