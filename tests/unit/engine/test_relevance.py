"""Relevance: a chance beside the cosine, that is high for what is there and low for what is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.encoders.load import load_encoder
from lookalike.engine.relevance import (
    BACKGROUND_ROWS,
    Calibration,
    Scale,
    background_rows,
    calibration_of,
    general_calibration,
    relevance,
    scale_of,
)

DIM, KINDS, EACH = 64, 40, 50


@pytest.fixture(scope="module")
def centres():
    return np.random.default_rng(0).standard_normal((KINDS + 10, DIM))


@pytest.fixture(scope="module")
def rows(centres):
    """50 pictures of each of the first 40 kinds of things: those of a kind have cosines of about 0.6."""
    random = np.random.default_rng(1)
    return unit_vectors(
        np.repeat(centres[:KINDS], EACH, axis=0) + 0.8 * random.standard_normal((KINDS * EACH, DIM))
    ).astype(np.float16)


@pytest.fixture(scope="module")
def calibration(rows, centres):
    captions = unit_vectors(centres + 0.5 * np.random.default_rng(2).standard_normal(centres.shape))
    return general_calibration(scale_of(rows[background_rows(len(rows))], captions))


def of(query, rows, calibration, *, allowed=None, k=10, is_words=False):
    """The relevance of the `k` nearest of the allowed rows."""
    among = np.arange(len(rows)) if allowed is None else allowed
    scores = rows[among].astype(np.float32) @ query
    best = np.argsort(-scores, kind="stable")[:k]
    background = rows[background_rows(len(rows))]
    found = among[best]
    return relevance(query, scores[best], rows[found], background, calibration, is_words=is_words, among=len(among))


def asked_for(centres, kind):
    return unit_vectors(centres[kind] + 0.8 * np.random.default_rng(100 + kind).standard_normal(DIM))[0]


@pytest.mark.parametrize("is_words", [False, True])
def test_what_is_there_is_more_relevant_than_what_is_not(rows, centres, calibration, is_words):
    there, gone = (
        [of(asked_for(centres, kind), rows, calibration, is_words=is_words)[0] for kind in kinds]
        for kinds in (range(10), range(KINDS, KINDS + 10))
    )
    assert min(there) > max(gone)


def test_answers_that_a_filter_leaves_are_no_more_relevant_for_it(rows, centres, calibration):
    """The right pictures lie outside the filter: what is left is as wrong as it was."""
    kinds = np.arange(len(rows)) // EACH
    for kind in range(5):
        query = asked_for(centres, kind)
        inside, outside = (
            of(query, rows, calibration, allowed=np.flatnonzero(part)) for part in (kinds != kind, kinds == kind)
        )
        assert inside[0] < outside[0] / 2


def test_is_a_chance_that_never_rises_as_the_cosine_falls(rows, centres, calibration):
    for kind in range(KINDS + 10):
        chances = of(asked_for(centres, kind), rows, calibration, k=100)
        assert chances.dtype == np.float32
        assert ((chances >= 0) & (chances <= 1)).all()
        assert (np.diff(chances) <= 0).all()


def test_the_very_picture_is_surely_right_and_takes_nothing_from_the_others(rows, centres, calibration):
    query = asked_for(centres, 3)
    with_copy = np.concatenate([rows, query[None].astype(np.float16)])
    chances = of(query, with_copy, calibration, k=11)
    assert chances[0] == 1
    assert chances[1:] == pytest.approx(of(query, rows, calibration), abs=0.1)  # other rows are drawn


@pytest.mark.parametrize("k", [0, 1, 2])
def test_few_answers_have_a_relevance_too(rows, centres, calibration, k):
    chances = of(asked_for(centres, 0), rows, calibration, k=k)
    assert chances.shape == (k,)
    assert np.isfinite(chances).all()


def test_every_answer_may_be_a_copy(rows, calibration):
    query = unit_vectors(rows[0])[0]
    assert of(query, rows[:1].repeat(3, axis=0), calibration).tolist() == [1, 1, 1]


def test_rows_without_direction_do_no_harm(rows, centres, calibration):
    broken = rows.copy()
    broken[::7] = 0
    assert np.isfinite(of(asked_for(centres, 0), broken, calibration)).all()


def test_the_shipped_encoder_is_calibrated_and_strangers_are_not():
    encoder = load_encoder("builtin")
    assert calibration_of(encoder.id) is not None
    assert calibration_of("a-stranger-0123456789ab") is None


def test_a_calibration_comes_back_from_json(calibration):
    assert Calibration.from_dict(json.loads(json.dumps(calibration.as_dict()))) == calibration


def test_a_scale_tells_what_chance_gives(rows, centres):
    background = rows[background_rows(len(rows))]
    scale = scale_of(background, None)
    wide = background.astype(np.float32)
    among = (wide @ wide.T)[np.triu_indices(len(wide), 1)]
    assert scale.pictures == pytest.approx((among.mean(), among.std()), abs=1e-3)
    assert scale.words == scale.pictures
    assert scale_of(background, unit_vectors(centres)).words != scale.pictures
    with pytest.raises(ValueError, match="no scale"):
        scale_of(rows[:1], None)


def test_another_scale_keeps_the_weights(calibration):
    other = Scale((0.1, 0.2), (0.3, 0.4))
    assert calibration.scaled(other).scale == other
    assert calibration.scaled(other).words == calibration.words


def test_background_rows_are_the_same_each_time_and_lie_in_the_collection():
    rows = background_rows(100_000)
    assert len(np.unique(rows)) == BACKGROUND_ROWS
    assert (rows == background_rows(100_000)).all()
    assert 0 <= rows[0] < rows[-1] < 100_000
    assert background_rows(5).tolist() == [0, 1, 2, 3, 4]


def test_a_sentence_is_judged_as_one_and_a_name_as_a_name(rows, centres, calibration):
    query, found = asked_for(centres, 0), rows[:10]
    scores = np.sort(found.astype(np.float32) @ query)[::-1]
    name, phrase, sentence = (
        relevance(query, scores, found, rows[::2], calibration, is_words=True, among=2000, words=words)
        for words in (1, 3, 12)
    )
    assert (name == phrase).all()
    assert (name != sentence).all()
