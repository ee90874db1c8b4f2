"""Which encoder's vectors follow from which other's, and that they are the ones the pictures would give."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.encoders.derivation import derivation
from lookalike.encoders.derived import Projection, write_derived
from lookalike.encoders.ensemble import write_ensemble
from lookalike.encoders.load import load_encoder
from lookalike.encoders.views import write_views
from tiny_encoder import DIM, SIDE, write_tiny_encoder

PICTURES = list(np.random.default_rng(3).integers(0, 256, (6, SIDE, SIDE, 3), np.uint8))


def random(inside, outside, seed):
    return Projection(np.random.default_rng(seed).standard_normal((inside, outside)))


@pytest.fixture
def load(tmp_path):
    """Encoders by name, made of each other: `heads` of `base`, `twice` of those, `mixed` with a `stranger`."""
    models = tmp_path / "models"

    def by_name(name):
        return load_encoder(str(tmp_path / name), models_dir=models)

    write_tiny_encoder(tmp_path / "base", config={"widths": [4]})
    write_tiny_encoder(tmp_path / "stranger", seed=9)
    base = by_name("base")
    write_derived(tmp_path / "heads", base=base, image=random(DIM, 8, 1), text=None, about={}, widths=[4])
    write_derived(tmp_path / "twice", base=by_name("heads"), image=random(8, 6, 2), text=None, about={})
    write_derived(tmp_path / "narrow", base=by_name("heads@4"), image=random(4, 3, 3), text=None, about={})
    write_ensemble(tmp_path / "both", [(base.id, 1), (by_name("twice").id, 3)], {})
    write_ensemble(tmp_path / "mixed", [(base.id, 1), (by_name("stranger").id, 3)], {})
    write_views(tmp_path / "looks", base, ["whole", "flip"])
    return by_name


@pytest.mark.parametrize("name", ["base", "base@4", "heads", "heads@4", "twice", "narrow", "both"])
def test_what_follows_from_the_base_s_rows_is_what_the_pictures_give(load, name):
    encoder, base = load(name), load("base")
    how = derivation(encoder, base.id)
    assert how is not None
    stored = base.encode_images(PICTURES).astype(np.float16)
    np.testing.assert_allclose(how(stored), encoder.encode_images(PICTURES), atol=encoder.tolerance + 2e-3, rtol=0)


@pytest.mark.parametrize("name", ["stranger", "mixed", "looks"])
def test_what_needs_the_pictures_does_not_follow(load, name):
    assert derivation(load(name), load("base").id) is None


def test_the_base_does_not_follow_from_what_is_derived_of_it(load):
    assert derivation(load("base"), load("heads").id) is None
    assert derivation(load("base"), load("base@4").id) is None


def test_a_part_and_the_same_parts_with_other_weights_follow_from_an_ensemble(load, tmp_path):
    mixed = load("mixed")
    write_ensemble(tmp_path / "weighed", [(load("stranger").id, 5), (load("twice").id, 1)], {})
    write_ensemble(tmp_path / "around", [(mixed.id, 1), (load("base@4").id, 1)], {})
    around = load("around")
    for known in (mixed, around):
        stored = known.encode_images(PICTURES).astype(np.float16)
        for name in ("base", "stranger", "heads", "weighed"):
            encoder = load(name)
            how = derivation(encoder, known.id, known)
            assert how is not None
            np.testing.assert_allclose(how(stored), encoder.encode_images(PICTURES), atol=5e-3, rtol=0)
    assert derivation(load("base"), mixed.id) is None
    assert derivation(load("looks"), mixed.id, mixed) is None
