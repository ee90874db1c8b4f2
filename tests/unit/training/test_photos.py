"""Batches hold what was packed, in the shares asked for."""

from __future__ import annotations

import numpy as np

from lookalike.training.photos import BatchDrawer


def test_undecodable_photos_are_left_out(photos):
    assert len(photos.concepts) == 29 + 12
    assert [0, 5] not in photos.places.tolist()


def test_a_labelled_photo_is_called_by_its_concept(photos, words):
    """Row 5, a blue one, could not be decoded: what follows it moves up."""
    numbers, keys = photos.say(np.arange(6), np.random.default_rng(0), 0.0)
    said = [words.texts[number].removeprefix("a ").removesuffix(" thing") for number in numbers]
    assert said == ["red", "green", "blue", "red", "green", "red"]
    assert keys[0] == keys[3] == keys[5]


def test_captioned_photos_have_keys_of_their_own(photos):
    _, keys = photos.say(np.arange(29, 41), np.random.default_rng(0), 0.5)
    assert len(set(keys.tolist())) == 12


def test_every_photo_of_a_set_comes_once_before_any_comes_twice(photos):
    drawer = BatchDrawer(photos, 3)
    drawn = np.concatenate([drawer.draw(10) for _ in range(3)])
    counts = np.bincount(drawn, minlength=41)[:29]
    assert counts.max() - counts.min() <= 1


def test_sets_come_by_their_shares(photos):
    drawer = BatchDrawer(photos, 3)
    drawn = np.concatenate([drawer.draw(50) for _ in range(40)])
    assert 0.65 < (drawn < 29).mean() < 0.75


def test_only_asked_photos_can_be_wanted(photos):
    drawer = BatchDrawer(photos, 3, only_asked=True)
    assert photos.asked[drawer.draw(100)].all()


def test_pixels_and_features_are_those_of_the_pack(photos, packs):
    pixels = photos.pixels(np.array([0, 29]))
    assert np.array_equal(pixels[0], np.load(packs / "colours.npy")[0])
    assert np.array_equal(pixels[1], np.load(packs / "shots.npy")[0])
    assert photos.features_of(np.array([29])).max() == 0
