"""The first components of an encoder made for it serve alone; their id is their own."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.errors import UnknownEncoder
from lookalike.encoders import load
from lookalike.encoders.load import load_encoder, load_encoder_by_id
from tiny_encoder import DIM, SIDE, write_tiny_encoder

PICTURES = list(np.random.default_rng(3).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8))
TEXTS = ["a red dog", "snow"]


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def builtin(tmp_path, monkeypatch):
    folder = write_tiny_encoder(tmp_path / "package" / "builtin", config={"widths": [4, 8, DIM]})
    monkeypatch.setattr(load, "BUILTIN_FOLDER", folder)
    return folder


def first(vectors, width):
    part = vectors[:, :width]
    return part / np.linalg.norm(part, axis=1, keepdims=True)


@pytest.mark.parametrize("width", [4, 8])
def test_its_vectors_are_the_first_components_of_unit_length(models, width):
    whole, part = load_encoder("builtin", models_dir=models), load_encoder(f"builtin@{width}", models_dir=models)
    assert part.dim == width
    np.testing.assert_allclose(part.encode_images(PICTURES), first(whole.encode_images(PICTURES), width), atol=1e-6)
    np.testing.assert_allclose(part.encode_texts(TEXTS), first(whole.encode_texts(TEXTS), width), atol=1e-6)
    assert part.encode_images([]).shape == part.encode_texts([]).shape == (0, width)


def test_its_name_and_id_say_the_width_and_the_weights(models):
    whole, part = load_encoder("builtin", models_dir=models), load_encoder("Builtin@8", models_dir=models)
    assert part.name == "builtin@8"
    assert part.id == whole.id.replace("builtin", "builtin@8")
    assert (part.modalities, part.image_side) == (whole.modalities, whole.image_side)


def test_it_is_found_again_by_its_id_also_after_an_upgrade(models, builtin):
    old = load_encoder("builtin@8", models_dir=models)
    expected = old.encode_texts(TEXTS)
    write_tiny_encoder(builtin, seed=1, config={"widths": [4, 8]})
    said = []
    again = load_encoder_by_id(old.id, models_dir=models, notice=said.append)
    assert again.id == old.id
    assert len(said) == 1
    np.testing.assert_array_equal(again.encode_texts(TEXTS), expected)


def test_the_full_width_is_the_encoder_itself(models):
    assert load_encoder(f"builtin@{DIM}", models_dir=models).id == load_encoder("builtin", models_dir=models).id


def test_another_width_is_refused_with_those_there_are(models):
    with pytest.raises(UnknownEncoder, match="cannot be cut to 5") as caught:
        load_encoder("builtin@5", models_dir=models)
    assert caught.value.hint == "there are builtin@4, builtin@8"


def test_an_encoder_not_made_for_it_is_not_cut(models, tmp_path):
    folder = write_tiny_encoder(tmp_path / "plain")
    with pytest.raises(UnknownEncoder, match="plain cannot be cut to 8"):
        load_encoder(f"{folder}@8", models_dir=models)


def test_a_folder_whose_own_name_looks_so_is_taken_by_that_name(models, tmp_path):
    folder = write_tiny_encoder(tmp_path / "photos@8", config={"widths": [8]})
    whole = load_encoder(str(folder), models_dir=models)
    assert (whole.name, whole.dim) == ("photos@8", DIM)
    assert load_encoder_by_id(whole.id, models_dir=models).dim == DIM
    part = load_encoder(f"{folder}@8", models_dir=models)
    assert part.name == "photos@8@8"
    assert load_encoder_by_id(part.id, models_dir=models).dim == 8
