"""Fewer dimensions: what is kept, what is chosen, what is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.training.drawn_material import draw_material

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import SourceError
from lookalike.encoders.derived import Derived, open_derived
from lookalike.encoders.onnx_encoder import read_json
from lookalike.training.pca import METRIC, Settings, neighbours_kept, principal_components, tune
from lookalike.training.splits import TEST, TRAIN, VALIDATION


@pytest.fixture(scope="module")
def flat():
    """32 numbers that hold 12: half the width loses nothing."""
    return draw_material(0.6, axes=12, texts=True)


@pytest.fixture
def base(flat):
    class Base:
        id = name = flat.base_id
        dim = 32
        modalities = frozenset({"image", "text"})
        tolerance = 1e-4
        image_side = 8

    return Base()


def test_directions_that_hold_nothing_are_cut_off_without_loss(flat):
    tuned = tune((flat,), Settings(), lambda _: None)
    assert tuned.about["dims"] == 16
    assert tuned.better
    for compared in tuned.compared:
        assert compared.after.values[METRIC].mean() >= 0.99 * compared.before.values[METRIC].mean()


def test_a_width_that_surely_loses_too_much_is_not_better(flat):
    tuned = tune((flat,), Settings(dims=2), lambda _: None)
    assert not tuned.better
    assert tuned.about["lost on validation"]["low"] > 0.01
    assert "is lost" in tuned.verdict


def test_plain_components_of_full_width_keep_every_cosine():
    vectors = draw_material(0.6).whole()
    turned = principal_components(vectors, "plain").images(32)(vectors)
    np.testing.assert_allclose(turned @ turned.T, vectors @ vectors.T, atol=1e-5)


def test_centred_components_are_those_of_the_covariance():
    vectors = draw_material(0.6).whole()
    found = principal_components(vectors, "centred")
    spread = np.linalg.eigvalsh(np.cov(vectors.T, bias=True))[::-1]
    np.testing.assert_allclose(found.shares, spread / spread.sum(), atol=1e-5)
    projected = (vectors - vectors.mean(0)) @ found.rotation
    np.testing.assert_allclose(found.images(32)(vectors), unit_vectors(projected), atol=1e-5)


def test_centring_spreads_vectors_that_all_point_one_way():
    material = draw_material(0.6)
    shifted = unit_vectors(material.whole() + 3 * np.eye(32, dtype=np.float32)[0])
    centred = principal_components(shifted, "centred").images(16)(shifted)
    plain = principal_components(shifted, "plain").images(16)(shifted)
    assert (plain @ plain.T).mean() > 0.9
    assert abs((centred @ centred.T).mean()) < 0.1


def test_words_are_centred_by_their_own_mean():
    pictures, texts = draw_material(0.6).whole(), unit_vectors(np.eye(32)[[0, 0, 1]] + 0.1)
    found = principal_components(pictures, "centred", texts)
    np.testing.assert_allclose(found.text_centre, texts.mean(0), atol=1e-6)


def test_the_same_pictures_give_the_same_components():
    vectors = draw_material(0.6).whole()
    one, other = (principal_components(vectors, "centred") for _ in range(2))
    np.testing.assert_array_equal(one.rotation, other.rotation)


def test_without_labels_and_texts_neighbours_count():
    material = draw_material(0.6, axes=12, labelled=False)
    tuned = tune((material,), Settings(), lambda _: None)
    assert tuned.about["lost on validation"]["metric"] == "neighbours kept"
    assert tuned.better
    assert tuned.compared == ()
    assert "Neighbours kept" in tuned.sections[0].parts[0].title


def test_without_questions_and_with_few_pictures_what_is_lost_is_still_seen():
    """Three pictures of a validation part are not each other's ten nearest: all pictures are asked for these."""
    few = draw_material(0.6, dim=256, classes=30, per_class=1, labelled=False)
    few = replace(few, split=np.repeat([TRAIN, VALIDATION, TEST], [24, 3, 3]).astype(np.uint8))
    tuned = tune((few,), Settings(dims=2), lambda _: None)
    assert tuned.about["lost on validation"]["share"] > 0.1
    assert not tuned.better


@pytest.mark.parametrize(("train", "validation", "test"), [(3, 1, 1), (20, 0, 0), (20, 4, 0), (20, 0, 4)])
def test_of_too_few_pictures_it_is_said_that_the_loss_cannot_be_told(train, validation, test):
    count = train + validation + test
    few = draw_material(0.6, classes=count, per_class=1, labelled=False)
    few = replace(few, split=np.repeat([TRAIN, VALIDATION, TEST], [train, validation, test]).astype(np.uint8))
    tuned = tune((few,), Settings(), lambda _: None)
    assert "cannot be told" in tuned.verdict
    assert not tuned.better


def test_pictures_that_are_all_alike_have_no_mean_taken_off():
    alike = draw_material(0.6)
    alike = replace(alike, images=np.repeat(alike.images[:1], len(alike.uris), axis=0))
    assert tune((alike,), Settings(), lambda _: None).about["kind"] == "plain"
    with pytest.raises(SourceError, match="look alike"):
        tune((alike,), Settings(kind="centred"), lambda _: None)


def test_neighbours_kept_is_the_share_of_the_ten_nearest():
    vectors = draw_material(0.6).whole()
    assert neighbours_kept(vectors, vectors) == 1
    noise = unit_vectors(np.random.default_rng(0).standard_normal(vectors.shape))
    assert neighbours_kept(vectors, noise) < 0.2


def test_what_is_written_opens_and_serves_narrower_too(flat, base, tmp_path):
    tuned = tune((flat,), Settings(dims=24), lambda _: None)
    tuned.write(tmp_path / "small", (base,))
    config = read_json(tmp_path / "small" / "config.json")
    opened = open_derived(tmp_path / "small", config, base, name="small", id="small-0")
    assert isinstance(opened, Derived)
    assert (opened.dim, opened.modalities) == (24, {"image", "text"})
    assert opened.widths == (18,)
    narrow = unit_vectors(opened.derive(flat.whole())[:, :18])
    own = principal_components(flat.whole(flat.pictures(0)), tuned.about["kind"], flat.texts[flat.pairs(0)])
    np.testing.assert_allclose(narrow, own.images(18)(flat.whole()), atol=1e-5)


def test_an_encoder_without_words_stays_one(flat, base, tmp_path):
    base.modalities = frozenset({"image"})
    tune((flat,), Settings(dims=16), lambda _: None).write(tmp_path / "small", (base,))
    assert not (tmp_path / "small" / "textual").exists()


def test_the_curve_goes_to_the_full_width(flat):
    section = tune((flat,), Settings(), lambda _: None).sections[0]
    plot, table = section.parts[:2]
    assert plot.lines[0].points[-1][0] == 32
    assert table.rows[-1][:2] == ("32", "64")
    assert len({row[-1] for row in table.rows}) > 1


def test_more_dimensions_than_there_are_is_refused(flat):
    with pytest.raises(SourceError, match="33 dimensions"):
        tune((flat,), Settings(dims=33), lambda _: None)


@pytest.mark.parametrize("wrong", [{"kind": "round"}, {"dims": -1}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="="):
        Settings(**wrong)
