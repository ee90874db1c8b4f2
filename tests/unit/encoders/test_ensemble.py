"""Encoders side by side: the cosine of the whole is the weighted mean of the parts' cosines."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lookalike.core.errors import EncoderBroken, NoTextTower
from lookalike.encoders.derived import Derived, Projection
from lookalike.encoders.ensemble import Ensemble, write_ensemble
from lookalike.encoders.load import load_encoder, load_encoder_by_id
from lookalike.testing import ToyEncoder
from tiny_encoder import DIM, SIDE, write_tiny_encoder

PICTURES = list(np.random.default_rng(3).integers(0, 256, (6, SIDE, SIDE, 3), np.uint8))
TEXTS = ["a red dog", "snow"]


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def parts(tmp_path, models):
    made = [write_tiny_encoder(tmp_path / name, seed=seed) for seed, name in enumerate(("one", "two"))]
    made.append(write_tiny_encoder(tmp_path / "wordless", seed=2, text=False))
    return [load_encoder(str(folder), models_dir=models) for folder in made]


def cosines(encoder):
    vectors = encoder.encode_images(PICTURES)
    return vectors @ vectors.T


def test_cosines_of_pictures_are_the_weighted_mean_of_the_parts(parts):
    both = Ensemble(list(zip(parts, (1, 2, 5), strict=True)), name="all", id="all-1")
    expected = sum(weight / 8 * cosines(part) for part, weight in zip(parts, (1, 2, 5), strict=True))
    np.testing.assert_allclose(cosines(both), expected, atol=1e-6)
    assert (both.dim, both.image_side, both.modalities) == (3 * DIM, SIDE, {"image", "text"})


def test_a_part_without_words_is_left_out_for_them_and_the_others_keep_their_ratio(parts):
    whole = Ensemble(list(zip(parts, (1, 2, 5), strict=True)), name="all", id="all-1")
    worded = Ensemble([(parts[0], 1), (parts[1], 2)], name="worded", id="worded-1")
    asked = whole.encode_texts(TEXTS) @ whole.encode_images(PICTURES).T
    alone = worded.encode_texts(TEXTS) @ worded.encode_images(PICTURES).T
    np.testing.assert_allclose(asked, alone * np.sqrt(3 / 8), atol=1e-6)


def test_pictures_alone_are_known_where_no_part_knows_words(parts):
    with pytest.raises(NoTextTower, match="blind"):
        Ensemble([(parts[2], 1)], name="blind", id="blind-1").encode_texts(TEXTS)


def test_it_is_written_opened_by_folder_and_found_again_by_id(tmp_path, models, parts):
    write_ensemble(tmp_path / "both", [(part.id, 1 + number) for number, part in enumerate(parts)], {"map@10": 0.5})
    encoder = load_encoder(str(tmp_path / "both"), models_dir=models)
    assert [(part.name, round(weight, 3)) for part, weight in encoder.parts] == [
        ("one", 0.167),
        ("two", 0.333),
        ("wordless", 0.5),
    ]
    again = load_encoder_by_id(encoder.id, models_dir=models)
    np.testing.assert_array_equal(again.encode_images(PICTURES), encoder.encode_images(PICTURES))


def test_a_part_of_no_weight_is_left_out_and_not_looked_for(parts, tmp_path, models):
    assert Ensemble([(parts[0], 1), (parts[1], 0)], name="all", id="all-1").dim == DIM
    write_ensemble(tmp_path / "one of two", [(parts[0].id, 1), ("gone-000000000000", 0)], {})
    assert load_encoder(str(tmp_path / "one of two"), models_dir=models).dim == DIM


@pytest.mark.parametrize("weights", [(0, 0), (1, -1), (1, float("nan")), (1, float("inf"))])
def test_weights_that_make_no_mean_are_refused(parts, weights):
    with pytest.raises(EncoderBroken, match="weights of all"):
        Ensemble(list(zip(parts, weights, strict=False)), name="all", id="all-1")


def test_a_part_that_knows_no_pictures_is_refused_by_name(parts, tmp_path, models):
    deaf = load_encoder(str(write_tiny_encoder(tmp_path / "words only", image=False)), models_dir=models)
    with pytest.raises(EncoderBroken, match="words only"):
        Ensemble([(parts[0], 1), (deaf, 1)], name="all", id="all-1")


@pytest.mark.parametrize("listed", [None, [], ["one"], [{"encoder": "one"}], [{"encoder": "one", "weight": "much"}]])
def test_a_configuration_that_names_no_parts_is_said(tmp_path, models, listed):
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"kind": "ensemble", "parts": listed}), encoding="utf-8")
    with pytest.raises(EncoderBroken, match=r"config\.json"):
        load_encoder(str(folder), models_dir=models)


def test_nothing_in_nothing_out():
    both = Ensemble([(ToyEncoder(), 1), (ToyEncoder("other"), 1)], name="both", id="both-1")
    assert both.encode_images([]).shape == both.encode_texts([]).shape == (0, 128)


def test_parts_of_one_base_look_at_a_picture_and_read_a_text_once():
    class Counting(ToyEncoder):
        asked = 0

        def encode_images(self, pictures):
            type(self).asked += len(pictures)
            return super().encode_images(pictures)

        def encode_texts(self, texts):
            type(self).asked += len(texts)
            return super().encode_texts(texts)

    random = np.random.default_rng(0)
    heads = [Projection(random.standard_normal((64, 8))) for _ in range(2)]
    parts = [Derived(Counting(), head, head, name=f"head {n}", id=f"head-{n}") for n, head in enumerate(heads)]
    both = Ensemble([(Counting(), 1), *((part, 1) for part in parts)], name="all", id="all-1")
    alone = [part.encode_images(PICTURES) for part in parts]
    Counting.asked = 0
    np.testing.assert_allclose(both.encode_images(PICTURES)[:, 64:72] * np.sqrt(3), alone[0], atol=1e-6)
    assert Counting.asked == len(PICTURES)
    assert both.encode_texts(TEXTS).shape == (2, 80)
    assert Counting.asked == len(PICTURES) + len(TEXTS)
