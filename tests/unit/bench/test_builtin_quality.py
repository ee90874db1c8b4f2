"""What the built-in's measurement counts, and its intervals."""

from __future__ import annotations

import shutil

import builtin_quality as quality
import numpy as np
import pytest

from lookalike.encoders.load import load_encoder
from lookalike.testing import COLOURS, SHAPES

NAMES = "set\tclass\talso\ten\txx\n"


@pytest.fixture
def encoder(colour_encoder, tmp_path):
    return load_encoder(str(colour_encoder), models_dir=tmp_path / "models", threads=1)


@pytest.fixture
def labelled(drawn, tmp_path):
    """Drawn pictures by shape and colour: a class each; `xx` is a language nobody knows."""
    table = tmp_path / "names.tsv"
    rows = [f"drawn\t{colour}\t{'red' if colour == 'blue' else ''}\t{colour}\tqqq{colour}" for colour in COLOURS]
    table.write_text(NAMES + "\n".join(rows) + "\n", encoding="utf-8")
    for path in drawn.glob("*.jpg"):
        target = tmp_path / "photos" / path.name.split("-")[1] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return quality.read_labelled(tmp_path / "photos", "drawn", table)


def test_a_name_is_answered_by_its_class_and_those_it_fits_too(labelled):
    blue = labelled.right[labelled.classes.index("blue")]
    assert set(labelled.labels[blue].tolist()) == {"blue", "red"}
    green = labelled.right[labelled.classes.index("green")]
    assert set(labelled.labels[green].tolist()) == {"green"}


def test_languages_are_measured_against_english(encoder, labelled):
    vectors = quality.embed(encoder, labelled.paths)
    told = quality.languages(encoder, vectors, labelled)
    assert told["en"]["share"]["mean"] == 1
    assert told["xx"]["share"]["mean"] < 0.9
    low, high = told["xx"]["share"]["interval"]
    assert low <= told["xx"]["share"]["mean"] <= high
    assert told["en"]["precision@10"]["mean"] > told["xx"]["precision@10"]["mean"]


def test_classes_that_no_name_has_are_refused(labelled, tmp_path):
    (tmp_path / "photos" / "unheard of").mkdir()
    shutil.copy(labelled.paths[0], tmp_path / "photos" / "unheard of" / "one.jpg")
    with pytest.raises(SystemExit, match="unheard of"):
        quality.read_labelled(tmp_path / "photos", "drawn", tmp_path / "names.tsv")


def test_a_caption_is_answered_by_its_own_photo_alone(encoder, drawn, tmp_path):
    photos = [path for path in sorted(drawn.glob("*.jpg")) if "circle" in path.name]
    assert len(SHAPES) == 3
    for path in photos:
        shutil.copy(path, tmp_path / path.name)
    lines = [f"{path.name},{path.name.split('-')[1]}" for path in photos]
    (tmp_path / "captions.csv").write_text("image,caption\n" + "\n".join(lines) + "\n", encoding="utf-8")
    flickr = quality.read_captioned(tmp_path)
    hits = quality.caption_hits(encoder.encode_texts(flickr.captions), quality.embed(encoder, flickr.paths), flickr)
    assert hits["hit@10"].mean() == 1
    assert hits["hit@1"].mean() > 0.8


def test_a_class_counts_as_one_however_many_its_pictures(labelled):
    values = (labelled.labels == "red").astype(float)
    assert quality.by_class(values, labelled).mean() == pytest.approx(1 / len(COLOURS))


def test_a_ratio_of_a_thing_to_itself_is_one_without_doubt():
    values = np.array([0.0, 1.0, 1.0, 0.5] * 5)
    assert quality.ratio(values, values) == {"mean": 1.0, "interval": [1.0, 1.0]}
    half = quality.ratio(values / 2, values)
    assert half["mean"] == pytest.approx(0.5)
