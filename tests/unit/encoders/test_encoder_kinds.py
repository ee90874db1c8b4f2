"""Encoders made of others find these wherever they lie, and say which one is missing and what to do."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from local_hub import LocalHub, files_of

from lookalike.core.errors import EncoderBroken, EncoderUnavailable
from lookalike.encoders import load
from lookalike.encoders.catalogue import find_entry
from lookalike.encoders.derived import Projection, write_derived
from lookalike.encoders.ensemble import write_ensemble
from lookalike.encoders.kinds import made_of
from lookalike.encoders.load import load_encoder, load_encoder_by_id
from tiny_encoder import DIM, write_tiny_encoder

TEXTS = ["a red dog", "snow"]


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def builtin(tmp_path, monkeypatch):
    folder = write_tiny_encoder(tmp_path / "package" / "builtin")
    monkeypatch.setattr(load, "BUILTIN_FOLDER", folder)
    return folder


def derived_from(base, folder):
    head = Projection(np.random.default_rng(1).standard_normal((DIM, 6)))
    write_derived(folder, base=base, image=head, text=head, about={})
    return folder


@pytest.fixture
def mine(tmp_path, models):
    """An encoder derived from the built-in."""
    return derived_from(load_encoder("builtin", models_dir=models), tmp_path / "mine")


def test_a_derived_encoder_is_found_by_its_id(mine, models):
    encoder = load_encoder(str(mine), models_dir=models)
    again = load_encoder_by_id(encoder.id, models_dir=models)
    np.testing.assert_array_equal(again.encode_texts(TEXTS), encoder.encode_texts(TEXTS))


def test_its_base_may_be_an_older_built_in_that_was_kept(mine, models, builtin):
    expected = load_encoder(str(mine), models_dir=models).encode_texts(TEXTS)
    write_tiny_encoder(builtin, seed=1)
    said = []
    again = load_encoder(str(mine), models_dir=models, notice=said.append)
    np.testing.assert_array_equal(again.encode_texts(TEXTS), expected)
    assert said == []


def test_a_base_that_is_not_here_is_named_with_what_to_do(mine, models, builtin):
    base_id = load_encoder("builtin", models_dir=models).id
    write_tiny_encoder(builtin, seed=1)
    shutil.rmtree(models)
    with pytest.raises(EncoderUnavailable, match=f"mine lacks what it is made of: .*{base_id}") as missing:
        load_encoder(str(mine), models_dir=models)
    assert str(models / "builtin" / base_id.removeprefix("builtin-")) in missing.value.hint


def test_a_missing_part_of_an_ensemble_is_named_with_the_place_where_it_was(tmp_path, models):
    folder = write_tiny_encoder(tmp_path / "extra", seed=4)
    parts = [(load_encoder(name, models_dir=models).id, 1) for name in ("builtin", str(folder))]
    write_ensemble(tmp_path / "both", parts, {})
    load_encoder(str(tmp_path / "both"), models_dir=models)
    shutil.rmtree(folder)
    with pytest.raises(EncoderUnavailable, match=f"both lacks what it is made of: .*{parts[1][0]}") as missing:
        load_encoder(str(tmp_path / "both"), models_dir=models)
    assert str(folder) in str(missing.value)
    assert str(models / "extra") in missing.value.hint


@pytest.mark.parametrize("place", ["elsewhere/mine", "another name"])
def test_a_moved_or_renamed_folder_is_found_once_its_place_was_said(mine, models, tmp_path, place):
    encoder = load_encoder(str(mine), models_dir=models)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    mine.rename(tmp_path / place)
    shutil.rmtree(models / "kept")
    with pytest.raises(EncoderUnavailable, match=str(mine)) as gone:
        load_encoder_by_id(encoder.id, models_dir=models)
    assert "--encoder FOLDER" in gone.value.hint
    load_encoder(str(tmp_path / place), models_dir=models)
    again = load_encoder_by_id(encoder.id, models_dir=models)
    assert (again.id, again.name) == (encoder.id, "mine")


def test_an_encoder_made_of_others_is_kept_when_its_folder_goes_or_holds_another(mine, models, tmp_path):
    encoder = load_encoder(str(mine), models_dir=models)
    before = encoder.encode_texts(["red"])
    shutil.rmtree(mine)
    again = load_encoder_by_id(encoder.id, models_dir=models)
    assert (again.id, again.name) == (encoder.id, "mine")
    assert (again.encode_texts(["red"]) == before).all()


def test_a_folder_that_was_put_among_the_models_is_found(mine, models):
    encoder_id = load_encoder(str(mine), models_dir=models).id
    shutil.move(mine, models / "mine")
    (models / "known.json").unlink()
    assert load_encoder_by_id(encoder_id, models_dir=models).id == encoder_id


def test_a_base_of_the_catalogue_is_fetched_where_that_is_allowed(tmp_path, models):
    source = write_tiny_encoder(tmp_path / "hub" / "clip-vit-b-32", seed=3)
    entry = find_entry("clip-vit-b-32")
    with LocalHub(files_of(source), entry.repository) as hub:
        base = load_encoder("clip-vit-b-32", models_dir=models, endpoint=hub.address)
        folder = derived_from(base, tmp_path / "mine")
        shutil.rmtree(models)
        with pytest.raises(EncoderUnavailable, match="mine lacks what it is made of: the encoder clip-vit-b-32"):
            load_encoder(str(folder), models_dir=models, download=False)
        encoder = load_encoder(str(folder), models_dir=models, endpoint=hub.address)
    assert encoder.encode_texts(TEXTS).shape == (2, 6)


def test_an_unknown_kind_is_refused_by_its_name(tmp_path, models):
    folder = tmp_path / "later"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"kind": "oracle"}), encoding="utf-8")
    with pytest.raises(EncoderBroken, match="not known here: oracle"):
        load_encoder(str(folder), models_dir=models)


def test_encoders_around_encoders_end_somewhere(tmp_path, models):
    folder, base = tmp_path / "0", load_encoder("builtin", models_dir=models)
    for number in range(load.NESTED_AT_MOST + 1):
        folder = tmp_path / str(number)
        write_ensemble(folder, [(base.id, 1)], {"number": number})
        if number < load.NESTED_AT_MOST:
            base = load_encoder(str(folder), models_dir=models)
    with pytest.raises(EncoderBroken, match="around each other"):
        load_encoder(str(folder), models_dir=models)


def test_what_an_encoder_is_made_of_is_told_without_opening_it(mine, models, tmp_path):
    base_id = load_encoder("builtin", models_dir=models).id
    config = json.loads((mine / "config.json").read_text(encoding="utf-8"))
    assert made_of(config, mine) == [base_id]
    assert made_of({"kind": "ensemble", "parts": [{"encoder": "a-1", "weight": 1}]}, tmp_path) == ["a-1"]
    assert made_of({"embed_dim": 8}, tmp_path) == []
