"""Weights of an ensemble: learned where they can be known, and no worse than the best part."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.unit.training.drawn_material import draw_material

from lookalike.core.errors import SourceError
from lookalike.encoders.ensemble import Ensemble
from lookalike.training import measuring
from lookalike.training.ensembling import (
    METRIC,
    Asked,
    Settings,
    joined,
    learn_weights,
    picture_questions,
    tune,
    word_questions,
)
from lookalike.training.splits import TEST, VALIDATION


@pytest.fixture(scope="module")
def halves():
    """Two encoders that each tell the other half of twelve classes apart, and one that tells nothing."""
    return (
        draw_material(0.6, seed=1, tell=range(6), name="one", texts=True),
        draw_material(0.6, seed=2, tell=range(6, 12), name="other"),
        draw_material(50.0, seed=3, name="noise"),
    )


@pytest.fixture(scope="module")
def tuned(halves):
    return tune(halves, Settings(), lambda _: None)


def test_two_encoders_that_know_different_things_are_better_together(tuned):
    pictures = tuned.compared[0]
    difference = pictures.differences()[METRIC]
    assert tuned.better
    assert difference.sure
    assert difference.mean > 0.1


def test_what_tells_nothing_counts_less_than_what_does(tuned):
    one, other, noise = tuned.about["weights"]
    assert one + other + noise == pytest.approx(1)
    assert noise < min(one, other) / 2


def test_the_best_on_the_grid_is_never_worse_than_a_part_alone(halves):
    asked = picture_questions(halves, VALIDATION)
    _, reached = learn_weights(asked)
    assert reached >= max(asked.by_scores(each).mean() for each in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))


def test_equally_good_weights_are_even():
    """Two encoders that are the same leave every mixture as good."""
    material = draw_material(0.5)
    weights, _ = learn_weights(picture_questions((material, material), VALIDATION))
    assert weights == (0.5, 0.5)


def test_questions_are_those_of_the_comparison(halves):
    """What weights are chosen by is what the report measures: the same figure for the same mixture."""
    weights = (0.5, 0.3, 0.2)
    images, _ = joined(halves, weights)
    measured = measuring.by_pictures(halves[0], TEST, images)
    by_scores = picture_questions(halves, TEST).by_scores(weights)
    assert measured.values[METRIC] == pytest.approx(by_scores)


def test_joined_vectors_are_those_of_the_written_ensemble(halves, tuned, tmp_path):
    encoders = tuple(Stand(each) for each in halves)
    tuned.write(tmp_path / "both", encoders)
    weights = tuned.about["weights"]
    whole = Ensemble(list(zip(encoders, weights, strict=True)), name="both", id="both-0")
    parts = [each.whole() for each, weight in zip(halves, weights, strict=True) if weight > 0]
    images, texts = joined(halves, weights)
    np.testing.assert_allclose(images, whole.join(parts), atol=1e-6)
    spoken = [halves[0].texts, *[None] * (len(parts) - 1)]
    np.testing.assert_allclose(texts, whole.join(spoken), atol=1e-6)
    assert "one-0123456789ab" in (tmp_path / "both" / "config.json").read_text(encoding="utf-8")


def test_words_are_asked_of_the_parts_that_know_them(halves):
    asked = word_questions(halves, VALIDATION)
    assert [cosines is None for cosines in asked.cosines] == [False, True, True]
    assert learn_weights(asked)[0] == (1, 0, 0)
    assert asked.by_scores((0.2, 0.5, 0.3)) == pytest.approx(asked.by_scores((1, 0, 0)))


def test_without_labels_weights_are_chosen_by_words():
    speaking = [draw_material(0.5, seed=seed, texts=True, labelled=False, name=f"n{seed}") for seed in (1, 2)]
    tuned = tune(tuple(speaking), Settings(), lambda _: None)
    assert [each.what for each in tuned.compared] == ["words -> picture"]


def test_ranks_are_joined_as_published():
    """1 / (60 + rank), summed: a picture that is second twice beats one that is first and last."""
    first, second = np.array([[0.9, 0.8, 0.1, 0.0]]), np.array([[0.0, 0.8, 0.1, 0.9]])
    right = np.array([[False, True, False, False]])
    assert Asked((first, second), right).by_ranks((1, 1)).tolist() == [1.0]


def test_the_question_is_no_answer_by_ranks_either(halves):
    material = draw_material(1e-3)
    asked = picture_questions((material, material), VALIDATION)
    assert asked.by_ranks((0.5, 0.5)).mean() == pytest.approx(1)


def test_few_questions_are_drawn_by_the_seed(halves):
    few = [picture_questions(halves, VALIDATION, 10, seed).right for seed in (0, 0, 1)]
    assert len(few[0]) == 10
    assert np.array_equal(few[0], few[1])
    assert not np.array_equal(few[0], few[2])


def test_the_report_has_each_part_and_each_way(tuned):
    tables = tuned.sections[0].parts
    assert [row[0] for row in tables[0].rows] == ["one-0123456789ab", "other-0123456789ab", "noise-0123456789ab"]
    ways = [row[0] for row in tables[1].rows]
    assert ways[3:] == ["equal weights", "weights learned", "ranks, equal weights", "ranks, weights learned"]


def test_one_encoder_is_no_ensemble(halves):
    with pytest.raises(SourceError, match="at least two"):
        tune(halves[:1], Settings(), lambda _: None)


def test_without_labels_and_words_nothing_is_chosen(halves):
    bare = tuple(dataclasses.replace(each, labels=None, texts=each.texts[:0]) for each in halves)
    with pytest.raises(SourceError, match="nothing is known"):
        tune(bare, Settings(), lambda _: None)


def test_a_setting_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="by=colour"):
        Settings(by="colour")


class Stand:
    """As much of an encoder as an ensemble is written from."""

    modalities = frozenset({"image", "text"})
    tolerance = 1e-4

    def __init__(self, material):
        self.id = self.name = material.base_id
        self.dim = material.images.shape[2]
