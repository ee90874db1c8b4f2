"""What every encoder promises, whichever it is."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lookalike.core.errors import NoTextTower
from lookalike.encoders.derived import Projection, write_derived
from lookalike.encoders.ensemble import write_ensemble
from lookalike.encoders.load import BUILTIN_FOLDER, load_encoder
from lookalike.encoders.views import write_views
from lookalike.testing import ToyEncoder
from tiny_encoder import DIM, SIDE, quantise, write_tiny_encoder

TEXTS = ["a red dog", "кіт in the snow", "", "blue " * 40]


def pictures(count=11):
    random = np.random.default_rng(7)
    sizes = random.integers(8, 90, (count, 2))
    return [random.integers(0, 256, (height, width, 3), np.uint8) for height, width in sizes]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Where the built-in encoder is kept: one copy serves all its tests."""
    return tmp_path_factory.mktemp("models")


def write_around(kind, folder, models):
    """An encoder made of others; those are in int8, whose batches differ most from their singles."""
    parts = [quantise(write_tiny_encoder(folder / f"part {seed}", seed=seed)) for seed in range(2)]
    one, other = (load_encoder(str(part), device="cpu", models_dir=models, threads=1) for part in parts)
    random = np.random.default_rng(1)
    image, text = (Projection(random.standard_normal((DIM, 12)), random.standard_normal(12) / 9) for _ in range(2))
    if kind == "ensemble":
        write_ensemble(folder / kind, [(one.id, 1), (other.id, 3)], {})
    elif kind == "views":
        write_views(folder / kind, one, ["whole", "flip"])
    else:
        write_derived(folder / kind, base=one, image=image, text=text, about={}, widths=[6])
    return folder / kind


OWN_MODELS = ("fp32", "fp16", "int8", "narrowed", "one picture at a time", "int32 tokens")
AROUND_OTHERS = ("derived", "derived@6", "ensemble", "views")


@pytest.fixture(params=["toy", "builtin", *OWN_MODELS, *AROUND_OTHERS])
def encoder(request, tmp_path, models):
    if request.param == "toy":
        return ToyEncoder()
    if request.param == "builtin":
        return load_encoder("builtin", device="cpu", models_dir=models, threads=1)
    if request.param in AROUND_OTHERS:
        kind, _, width = request.param.partition("@")
        folder = write_around(kind, tmp_path, tmp_path / "models")
        name = f"{folder}@{width}" if width else str(folder)
        return load_encoder(name, device="cpu", models_dir=tmp_path / "models", threads=1)
    options = {
        "fp32": {},
        "int8": {},
        "narrowed": {"config": {"widths": [8]}},
        "fp16": {"half": True, "config": {"tolerance": 5e-3}},
        "one picture at a time": {"batch": 1},
        "int32 tokens": {"token_type": "int32"},
    }[request.param]
    folder = write_tiny_encoder(tmp_path / "tiny", **options)
    if request.param == "int8":
        quantise(folder)
    name = f"{folder}@8" if request.param == "narrowed" else str(folder)
    return load_encoder(name, device="cpu", models_dir=tmp_path / "models", threads=1)


def test_vectors_are_float32_contiguous_finite_and_of_unit_length(encoder):
    for vectors in (encoder.encode_images(pictures()), encoder.encode_texts(TEXTS)):
        assert vectors.dtype == np.float32
        assert vectors.flags.c_contiguous
        assert vectors.shape[1] == encoder.dim
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_in_nothing_out(encoder):
    assert encoder.encode_images([]).shape == (0, encoder.dim)
    assert encoder.encode_texts([]).shape == (0, encoder.dim)


def test_a_batch_equals_its_singles_in_order(encoder):
    shown = pictures()
    singles = np.concatenate([encoder.encode_images([picture]) for picture in shown])
    np.testing.assert_allclose(encoder.encode_images(shown), singles, atol=encoder.tolerance, rtol=0)
    words = np.concatenate([encoder.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), words, atol=encoder.tolerance, rtol=0)


def test_equal_from_many_threads_at_once(encoder):
    shown = pictures()
    expected = encoder.encode_images(shown)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(encoder.encode_images, [shown] * 16):
            np.testing.assert_allclose(vectors, expected, atol=encoder.tolerance, rtol=0)


def test_pictures_are_not_altered(encoder):
    shown = pictures(3)
    before = [picture.copy() for picture in shown]
    encoder.encode_images(shown)
    for picture, kept in zip(shown, before, strict=True):
        np.testing.assert_array_equal(picture, kept)


def test_the_id_is_the_name_and_twelve_hex_digits(encoder):
    name, _, digest = encoder.id.rpartition("-")
    assert name == encoder.name
    assert len(digest) == 12
    assert int(digest, 16) >= 0


def test_says_what_it_understands_and_how_large_it_looks(encoder):
    assert encoder.modalities == {"image", "text"}
    shipped = json.loads((BUILTIN_FOLDER / "visual" / "preprocess_cfg.json").read_text(encoding="utf-8"))
    assert encoder.image_side == (min(shipped["size"]) if encoder.name == "builtin" else SIDE)


def test_an_encoder_without_words_refuses_them_by_name(tmp_path):
    folder = write_tiny_encoder(tmp_path / "wordless", text=False)
    for encoder in (ToyEncoder(text=False), load_encoder(str(folder), models_dir=tmp_path / "models")):
        assert encoder.modalities == {"image"}
        with pytest.raises(NoTextTower, match=encoder.name):
            encoder.encode_texts(["a dog"])
