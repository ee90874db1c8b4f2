"""Batches hold what was packed, in the shares asked for."""

from __future__ import annotations

import numpy as np

from lookalike.training.photos import BatchDrawer


def test_undecodable_photos_are_left_out(photos):
    assert len(photos.concepts) == 29 + 12 + 6
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
    counts = np.bincount(drawn, minlength=47)[:29]
    assert counts.max() - counts.min() <= 1


def test_sets_come_by_their_shares(photos):
    drawer = BatchDrawer(photos, 3)
    drawn = np.concatenate([drawer.draw(50) for _ in range(40)])
    assert 0.65 < (drawn < 29).mean() < 0.75


def test_a_photo_without_words_is_called_what_its_teacher_is_sure_of(photos, words):
    numbers, keys = photos.say(np.arange(41, 47), np.random.default_rng(0), 0.0)
    assert [words.texts[number] for number in numbers[:3]] == ["crayon"] * 3
    assert numbers[3:].tolist() == [-1] * 3
    assert len(set(keys.tolist())) == 1 + 3
    assert np.flatnonzero(~photos.worded).tolist() == list(range(41, 47))


def test_only_usable_photos_are_drawn(photos):
    wanted = photos.asked & photos.worded & photos.of_sets(["colours", "shots"])
    drawn = BatchDrawer(photos, 3, usable=wanted).draw(100)
    assert wanted[drawn].all()
    assert drawn.max() < 29


def test_pixels_and_features_are_those_of_the_pack(photos, packs):
    """Pictures of one side together, with their places in what was asked for."""
    chosen = np.array([30, 0, 41, 29, 1])
    groups = photos.pixels(chosen)
    assert [(positions.tolist(), pictures.shape[1]) for positions, pictures in groups] == [
        ([0, 3], 24),
        ([1, 2, 4], 32),
    ]
    for positions, pictures in groups:
        for position, picture in zip(positions, pictures, strict=True):
            place, row = photos.places[chosen[position]]
            assert np.array_equal(picture, np.load(packs / f"{photos.sets[place][0]}.npy")[row])
    assert photos.features_of(np.array([29])).max() == 0
