"""Embedding for several encoders: each gets what it would get alone, and nothing is decoded twice for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.derived import Derived, Projection
from lookalike.evaluation.embedding import Known, embed_for_each, embed_pictures
from lookalike.evaluation.judgements import read_labels
from lookalike.testing import ToyEncoder, draw_pictures


class Counting(ToyEncoder):
    """Counts the pictures it encodes."""

    def __init__(self, name: str = "toy") -> None:
        super().__init__(name)
        self.seen = 0

    def encode_images(self, pictures):
        self.seen += len(pictures)
        return super().encode_images(pictures)


@pytest.fixture
def pictures(tmp_path):
    draw_pictures(tmp_path / "class", 9)
    return read_labels(tmp_path).pictures


def test_every_encoder_gets_the_vectors_it_would_get_alone(pictures):
    one, other = ToyEncoder(), ToyEncoder("other")
    together = embed_for_each([one, other], pictures, workers=1)
    for encoder, embedded in zip((one, other), together, strict=True):
        assert np.array_equal(embedded.vectors, embed_pictures(encoder, pictures, workers=1).vectors)


@pytest.mark.parametrize("named_first", ["base", "derived"])
def test_what_follows_from_another_encoder_is_computed_and_not_encoded(pictures, named_first):
    base = Counting()
    mirror = Projection(-np.eye(base.dim, dtype=np.float32))
    derived = Derived(base, mirror, mirror, name="mirror", id="mirror-0123456789ab")
    order = [base, derived] if named_first == "base" else [derived, base]
    seen = []
    embedded = embed_for_each(order, pictures, workers=1, progress=lambda done, total: seen.append((done, total)))
    whole, turned = (embedded[order.index(each)].vectors for each in (base, derived))
    np.testing.assert_allclose(turned, -whole, atol=1e-6)
    assert base.seen == 9
    assert seen[-1] == (9, 9)


def test_vectors_at_hand_are_used_and_only_the_pictures_behind_them_are_read(pictures):
    encoder = Counting()
    truth = embed_pictures(ToyEncoder(), pictures, workers=1).vectors
    known = Known(encoder.id, truth[:7].astype(np.float16))
    (embedded,) = embed_for_each([encoder], pictures, known=known, workers=1)
    np.testing.assert_allclose(embedded.vectors, truth, atol=1e-3)
    assert encoder.seen == 2


def test_vectors_of_another_encoder_are_no_use(pictures):
    encoder = Counting()
    known = Known("another-0123456789ab", np.ones((9, encoder.dim), dtype=np.float16))
    embed_for_each([encoder], pictures, known=known, workers=1)
    assert encoder.seen == 9


def test_a_picture_that_cannot_be_decoded_is_left_out_for_all_and_positions_stay(tmp_path):
    draw_pictures(tmp_path / "class", 3)
    (tmp_path / "class" / "0000-broken.jpg").write_bytes(b"no picture")
    judged = read_labels(tmp_path)
    one, other = embed_for_each([ToyEncoder(), ToyEncoder("other")], judged.pictures, workers=1)
    assert one.rows.tolist() == other.rows.tolist() == [1, 2, 3]
    assert len(one.pictures) == len(one.vectors) == 3
    assert [each.uri for each in one.skipped] == [str(tmp_path / "class" / "0000-broken.jpg")]


class Picky(ToyEncoder):
    """Makes nothing of a batch that holds a picture with a very red corner."""

    def encode_images(self, pictures):
        if any(picture[0, 0].tolist() == [250, 0, 0] for picture in pictures):
            raise EncoderBroken("not finite")
        return super().encode_images(pictures)


def test_a_picture_that_one_encoder_makes_nothing_of_is_left_out_for_all_and_costs_no_other(tmp_path):
    draw_pictures(tmp_path / "class", 4)
    Image.new("RGB", (64, 64), (250, 0, 0)).save(tmp_path / "class" / "0002-all-red.png")
    judged = read_labels(tmp_path)
    one, other = embed_for_each([ToyEncoder(), Picky("picky")], judged.pictures, workers=1)
    assert len(one.pictures) == len(other.pictures) == 4
    assert [(each.uri, each.reason) for each in one.skipped] == [
        (str(tmp_path / "class" / "0002-all-red.png"), "picky makes no vector of it")
    ]
