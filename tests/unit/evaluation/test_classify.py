"""Labels by votes and by names, on vectors made so that the right answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.evaluation.classify import METHODS, Labelled, classify, confusions, cross_validate

DIM, LABELS = 24, ("ant", "bee", "cat")


def labelled(each=40, noise=0.6, seed=0, name_noise=0.1):
    """Clouds around three directions; the names lie near the directions."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(3), each)
    centres = np.eye(DIM)[:3]
    vectors = unit_vectors(centres[truth] + noise * random.normal(size=(len(truth), DIM)) / np.sqrt(DIM) * 3)
    names = unit_vectors(centres + name_noise * random.normal(size=(3, DIM)))
    return Labelled(vectors, LABELS, truth[:, None] == np.arange(3), names), truth


def folds(count):
    return np.arange(count) % 5


@pytest.mark.parametrize("method", METHODS)
def test_what_is_clear_is_answered_rightly(method):
    known, truth = labelled(noise=0.2)
    found = cross_validate(known, folds(len(truth)), method)
    assert found.accuracy > 0.97
    assert (found.answers == truth).mean() == found.accuracy
    low, high = found.interval()
    assert low <= found.accuracy <= high
    answers, chances = classify(known, known.vectors, method, found.trust)
    assert (answers == truth).mean() > 0.97
    assert ((chances > 1 / 3) & (chances <= 1)).all()


def test_a_vote_counts_near_pictures_more():
    """One neighbour at the very place outweighs nine that are a quarter turn away."""
    vectors = unit_vectors(np.concatenate([np.eye(DIM)[:1], np.eye(DIM)[:1] + 3 * np.eye(DIM)[3:12]]))
    belongs = np.array([[True, False]] + [[False, True]] * 9)
    known = Labelled(vectors, ("one", "other"), belongs, None)
    answers, chances = classify(known, np.eye(DIM, dtype=np.float32)[:1], "neighbours")
    assert answers.tolist() == [0]
    assert chances[0] > 0.9


def test_chances_are_honest():
    """Of the answers that are 60 to 80 % sure about so many are right, however sharp the raw votes are."""
    known, truth = labelled(each=300, noise=1.4)
    for method in METHODS:
        found = cross_validate(known, folds(len(truth)), method)
        assert 0.5 < found.accuracy < 0.95
        assert found.chances.mean() == pytest.approx(found.accuracy, abs=0.06)
        share, right = found.answered(0.8)
        assert right > found.accuracy
        assert share < 1


def test_a_picture_never_votes_for_itself_nor_does_its_fold():
    """Labels drawn at random: with one's own vote all would be right, held out they are right by chance."""
    random = np.random.default_rng(4)
    vectors = unit_vectors(np.repeat(random.normal(size=(60, DIM)), 2, axis=0))
    truth = np.repeat(random.integers(0, 3, 60), 2)
    known = Labelled(vectors, LABELS, truth[:, None] == np.arange(3), None)
    pairs = np.repeat(np.arange(60) % 5, 2)
    assert cross_validate(known, pairs, "neighbours").accuracy < 0.55
    assert cross_validate(known, np.arange(120) % 2, "neighbours").accuracy > 0.9


def test_a_picture_with_several_labels_is_right_with_any():
    known, truth = labelled(noise=0.2)
    belongs = known.belongs.copy()
    belongs[:, 0] = True
    both = Labelled(known.vectors, LABELS, belongs, known.names)
    found = cross_validate(both, folds(len(truth)), "words")
    assert found.accuracy > 0.97
    assert found.confusion.sum() == len(truth)
    assert found.confusion[1, 1] > 30


def test_confusions_are_counted_the_most_frequent_first():
    confusion = np.array([[5, 2, 0], [4, 1, 1], [0, 0, 9]])
    assert confusions(LABELS, confusion) == [("bee", "ant", 4, 6), ("ant", "bee", 2, 7), ("bee", "cat", 1, 6)]


def test_a_class_that_is_only_in_one_fold_is_wrong_by_votes_and_right_by_its_name():
    known, truth = labelled(noise=0.2)
    alone = np.where(truth == 2, 0, 1 + folds(len(truth)) % 4)
    assert not cross_validate(known, alone, "neighbours").right[truth == 2].any()
    assert cross_validate(known, alone, "words").right[truth == 2].all()


def test_what_cannot_be_asked_is_a_programmer_s_error():
    known, truth = labelled()
    with pytest.raises(ValueError, match="two folds"):
        cross_validate(known, np.zeros(len(truth)), "words")
    with pytest.raises(ValueError, match="knows no words"):
        classify(Labelled(known.vectors, LABELS, known.belongs, None), known.vectors, "both")


def test_nothing_asked_nothing_answered():
    known, _ = labelled()
    answers, chances = classify(known, np.empty((0, DIM), np.float32), "both")
    assert answers.shape == chances.shape == (0,)
