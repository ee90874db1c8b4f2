"""What cosine to expect of words is known of the built-in encoder, and of no other."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike import load_encoder
from lookalike.engine.familiarity import familiarity_of
from lookalike.engine.relevance import FACTS, calibration_of, relevance


@pytest.mark.parametrize("name", ["builtin", "builtin@128"])
def test_every_width_of_the_built_in_expects_less_of_what_looks_in_many_ways(name):
    encoder = load_encoder(name)
    expected = familiarity_of(encoder.id)
    assert expected is not None
    many, one = (
        np.mean([expected(vector) for vector in encoder.encode_texts(words)])
        for words in (
            ["people", "люди", "люди грають", "water"],
            ["a fire engine", "a sunflower", "слон"],
        )
    )
    assert 0.1 < many < one < 0.6
    assert familiarity_of("other-0123456789ab") is None


def test_an_answer_is_more_likely_right_where_less_is_to_be_expected():
    encoder = load_encoder("builtin")
    calibration = calibration_of(encoder.id)
    assert calibration is not None
    assert calibration.words.weights[FACTS.index("usual")] < 0
    draw = np.random.default_rng(0)
    rows = draw.standard_normal((200, encoder.dim)).astype(np.float16)
    query = encoder.encode_texts(["people"])[0]
    found = (query, np.full(5, 0.25, np.float32), rows[:5], rows, calibration)
    little, unknown, much = (
        relevance(*found, is_words=True, among=200, usual=usual)[0] for usual in (0.25, float("nan"), 0.4)
    )
    assert little > unknown > much
