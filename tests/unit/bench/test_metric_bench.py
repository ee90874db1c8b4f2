"""The measurement of metrics: what is learned from and what is searched are kept apart, figures are paired by class."""

from __future__ import annotations

import json

import numpy as np
import pytest
from metric import halves
from metric_page import by_class, tables
from metric_photos import Photo, drawn

NAMES = ["cougar_body", "cougar_face", "crocodile", "crocodile_head", "dog", "elephant", "anchor", "ant"]


@pytest.mark.parametrize("repeat", range(3))
def test_names_that_begin_alike_stay_on_one_side(repeat):
    second = dict(zip(NAMES, halves(NAMES, repeat).tolist(), strict=True))
    assert second["cougar_body"] == second["cougar_face"]
    assert second["crocodile"] == second["crocodile_head"]
    assert 0 < sum(second.values()) < len(NAMES)


def test_repeats_deal_classes_out_differently():
    many = [f"class{number}" for number in range(100)]
    assert len({halves(many, repeat).tobytes() for repeat in range(3)}) == 3


def test_one_thing_of_two_sets_is_one_class_and_what_is_no_class_is_left_out():
    photos = [
        Photo(f"{label}/{number}", label, label, "") for label in ("person", "Not sure", "owl") for number in range(12)
    ]
    kept = drawn(photos, per_class=11)
    assert {photo.label for photo in kept} == {"Faces", "owl"}
    assert len(kept) == 22


def test_small_classes_are_left_out():
    assert drawn([Photo(f"x/{number}", "owl", "owl", "") for number in range(9)], per_class=11) == []


def test_a_class_counts_once_however_often_it_was_searched(tmp_path):
    folder = tmp_path / "out" / "toy"
    folder.mkdir(parents=True)
    splits = [
        {"classes": ["dog", "owl"], "values": {"plain": [0.2, 0.4], "whitening": [0.4, 0.4]}},
        {"classes": ["dog"], "values": {"plain": [0.4], "whitening": [0.6]}},
    ]
    for number, split in enumerate(splits):
        split |= {"chosen": {"whitening": {"shrinkage": 0.3, "prior": 0.0, "adapted": 0.0}}, "pictures": [10, 20]}
        (folder / f"{number}.json").write_text(json.dumps(split))
    values, classes = by_class(splits)
    assert classes == ["dog", "owl"]
    assert values["plain"].tolist() == pytest.approx([0.3, 0.4])
    np.savez(tmp_path / "caltech.toy.npz", labels=np.array(["dog", "owl"]))
    told = tables(tmp_path / "out", tmp_path)
    assert "| whitening | 0.4500 | +0.1000 (+0.0000 to +0.2000) |  | 0.450 |" in told
    assert "shrinkage 0.3, prior 0, adapted 0 (2)" in told
