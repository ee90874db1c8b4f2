"""An index is searched just so hard as its own rows, and words, need it."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.engine.curve import calibrate
from lookalike.engine.questions import ask, caption_vectors, recall_at, recalls, surely, without
from lookalike.index.building import build
from lookalike.index.kinds import OperatingPoint, default_spec, efforts
from lookalike.index.manifest import Identity
from lookalike.index.opening import open_index
from lookalike.testing import ToyEncoder

COUNT, DIM, TARGET = 4000, 32, 0.95
IDENTITY = Identity("toy", DIM, 0, 1)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    random = np.random.default_rng(3)
    centres = random.standard_normal((60, DIM))
    return unit_vectors(centres[random.integers(0, 60, COUNT)] + random.standard_normal((COUNT, DIM))).astype(
        np.float16
    )


@pytest.fixture(scope="module")
def words() -> np.ndarray:
    """Queries from elsewhere: no row lies near them."""
    return unit_vectors(np.random.default_rng(4).standard_normal((80, DIM)))


@pytest.fixture(scope="module", params=["ivf-rabitq", "hnsw"])
def opened(request, rows, tmp_path_factory):
    spec = default_spec(request.param, COUNT, DIM)
    path = tmp_path_factory.mktemp("index") / "index"
    build(spec, rows, path, identity=IDENTITY, threads=1)
    return spec, open_index(path, rows, identity=IDENTITY)


def test_the_target_is_reached_for_pictures_and_for_words_by_other_questions_too(opened, rows, words):
    spec, index = opened
    found = calibrate(index, rows, spec, ask(rows, words), TARGET)
    assert found.reached
    assert found.best.recall >= TARGET
    assert found.measured["questions"] == [200, 80]
    others = ask(rows, unit_vectors(np.random.default_rng(5).standard_normal((80, DIM))), seed=6)
    recall = recall_at(index, others, found.point)
    assert recall[others.is_words].mean() >= TARGET
    assert recall[~others.is_words].mean() >= TARGET


def test_words_take_more_effort_than_pictures_alone(opened, rows, words):
    spec, index = opened
    assert (
        calibrate(index, rows, spec, ask(rows, words), TARGET).point.effort
        >= calibrate(index, rows, spec, ask(rows, None), TARGET).point.effort
    )


def test_a_higher_target_takes_no_less_effort(opened, rows, words):
    spec, index = opened
    low, high = (calibrate(index, rows, spec, ask(rows, words), target).point for target in (0.7, 0.97))
    assert (low.fetch, low.effort) <= (high.fetch, high.effort)
    assert low.effort < efforts(spec, COUNT)[-1]


def test_nothing_is_measured_far_beyond_what_is_needed(opened, rows):
    """A step tried twice as far at most, and one more for the curve."""
    spec, index = opened
    found = calibrate(index, rows, spec, ask(rows, None), 0.8)
    assert max(point[0] for point in found.measured["curve"]) <= max(4 * found.point.effort, 64)


def test_a_target_beyond_reach_is_said_so(opened, rows, words):
    spec, index = opened
    found = calibrate(index, rows, spec, ask(rows, words), 1.01)
    assert not found.reached
    assert found.point.effort in {point[0] for point in found.measured["curve"]}


def test_a_row_is_no_answer_to_itself(rows):
    questions = ask(rows, None, pictures=50)
    assert (questions.truth < 1 - 1e-4).all()
    assert questions.truth.shape == (50, 10)


def test_fewer_rows_than_answers_are_enough(rows, words):
    questions = ask(rows[:4], words)
    assert np.isfinite(questions.truth).sum(axis=1).tolist() == [3] * 4 + [4] * 80
    assert (recalls(questions, questions.truth) == 1).all()


def test_the_row_that_asked_is_left_out_else_the_last():
    scores = np.array([[0.9, 0.8, 0.7], [0.9, 0.8, 0.7]], np.float32)
    rows = np.array([[4, 7, 1], [4, 7, 1]])
    np.testing.assert_allclose(without(np.array([7, -1]), rows, scores), [[0.9, 0.7], [0.9, 0.8]])


def test_copies_of_a_right_answer_are_as_right(rows):
    questions = ask(rows, None, pictures=3)
    worse = questions.truth.copy()
    worse[0, -1] -= 0.01
    assert recalls(questions, questions.truth).tolist() == [1, 1, 1]
    assert recalls(questions, worse).tolist() == [0.9, 1, 1]


def test_what_is_sure_is_less_than_the_mean():
    assert surely(np.array([1.0, 1.0])) == 1.0
    assert surely(np.array([1.0, 0.5] * 50)) < 0.75
    assert surely(np.array([])) == 1.0


def test_captions_are_encoded_where_words_are_understood():
    vectors = caption_vectors(ToyEncoder())
    assert vectors.shape[0] > 300
    assert caption_vectors(ToyEncoder(text=False)) is None


def test_an_operating_point_is_whole_numbers(opened, rows, words):
    spec, index = opened
    point = calibrate(index, rows, spec, ask(rows, words), TARGET).point
    assert OperatingPoint.from_dict(point.as_dict()) == point
