"""Pictures of a material as pixels: packed once, in the material's order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image
from tests.unit.training.drawn_material import draw_material

from lookalike.core.errors import SourceError
from lookalike.training.labelled_pixels import pixels_of

COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]


@pytest.fixture
def material(tmp_path):
    """Four pictures of two classes, of which the third is gone when it is packed."""
    uris = []
    for number, colour in enumerate(COLOURS):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (30, 20), colour).save(path)
        uris.append(str(path))
    (tmp_path / "2.png").write_bytes(b"no picture")
    drawn = draw_material(0.5, classes=2, per_class=2)
    return dataclasses.replace(drawn, uris=tuple(uris))


def test_pixels_are_in_the_order_of_the_material(material, tmp_path):
    packed = pixels_of(material, 8, tmp_path / "work")
    assert packed.pixels.shape == (4, 8, 8, 3)
    for row in (0, 1, 3):
        assert packed.pixels[row, 4, 4].tolist() == list(COLOURS[row])


def test_what_cannot_be_decoded_has_no_label(material, tmp_path):
    assert pixels_of(material, 8, tmp_path / "work").labels.tolist() == [0, 0, -1, 1]


def test_packed_pictures_are_used_again_until_they_are_others(material, tmp_path):
    pixels_of(material, 8, tmp_path / "work")
    packed = (tmp_path / "work" / "pixels-8" / "pixels.npy").stat().st_mtime_ns
    pixels_of(material, 8, tmp_path / "work")
    assert (tmp_path / "work" / "pixels-8" / "pixels.npy").stat().st_mtime_ns == packed
    Image.new("RGB", (40, 40), COLOURS[3]).save(material.uris[0])
    again = pixels_of(material, 8, tmp_path / "work")
    assert again.pixels[0, 4, 4].tolist() == list(COLOURS[3])
    fewer = dataclasses.replace(material, uris=material.uris[:2], labels=material.labels[:2])
    assert pixels_of(fewer, 8, tmp_path / "work").pixels.shape[0] == 2


def test_without_labels_there_is_nothing_to_learn(material, tmp_path):
    with pytest.raises(SourceError, match="label"):
        pixels_of(dataclasses.replace(material, labels=None), 8, tmp_path / "work")


def test_the_split_goes_along(material, tmp_path):
    packed = pixels_of(material, 8, tmp_path / "work")
    assert np.array_equal(packed.split, material.split)
