"""A collection of narrower vectors: made, opened again, asked by words and pictures, moved to the whole width."""

from __future__ import annotations

from pathlib import Path

import pytest

import lookalike
from lookalike.core.errors import EncoderMismatch
from tiny_encoder import DIM, write_tiny_encoder

WIDTH = 8


@pytest.fixture
def encoder(tmp_path):
    return write_tiny_encoder(tmp_path / "mine", config={"widths": [4, WIDTH]})


@pytest.fixture
def narrow(encoder, pictures, tmp_path):
    """A closed collection of `pictures`, made with the first components of `encoder`."""
    path = tmp_path / "narrow.lookalike"
    with lookalike.open(path, encoder=f"{encoder}@{WIDTH}", models_dir=tmp_path / "models") as collection:
        list(collection.sync([pictures]))
    return path


@pytest.fixture
def opened(narrow, tmp_path):
    with lookalike.open(narrow, create=False, models_dir=tmp_path / "models") as collection:
        yield collection


def test_it_answers_words_and_pictures_with_the_encoder_found_by_its_id(opened, pictures):
    assert (opened.status()["dim"], opened.encoder.name) == (WIDTH, f"mine@{WIDTH}")
    assert len(opened.search("a red dog", k=5)) == 5
    for photo in sorted(pictures.iterdir())[:3]:
        (hit,) = opened.search(photo, k=1)
        assert Path(hit.uri).name == photo.name
        assert hit.score == pytest.approx(1, abs=1e-3)
    assert opened.verify(sample=24).problems == ()


def test_it_moves_to_the_whole_width(opened, encoder):
    *_, report = opened.migrate(str(encoder))
    assert report.switched
    assert (opened.status()["dim"], opened.encoder.name) == (DIM, "mine")
    assert len(opened.search("a red dog", k=5)) == 5


@pytest.mark.parametrize("other", ["", "@4"])
def test_another_width_is_another_encoder(narrow, encoder, other, tmp_path):
    with pytest.raises(EncoderMismatch):
        lookalike.open(narrow, encoder=f"{encoder}{other}", models_dir=tmp_path / "models")
