"""What an export looks at is from the training sets, and the same each time."""

from __future__ import annotations

import numpy as np

from lookalike.training.examples import example_pictures, example_texts
from lookalike.training.photo_sets import PhotoSet

SETS = (
    PhotoSet("colours", "a/b", "1", "", label=0, share=0.75),
    PhotoSet("missing", "a/b", "1", ""),
    PhotoSet("shots", "a/b", "1", "", use="hold out"),
)


def test_pictures_are_of_training_sets_only_and_drawn_the_same_each_time(packs):
    pictures = example_pictures(packs, SETS, 12)
    packed = np.load(packs / "colours.npy")
    assert len(pictures) == 12
    assert all((packed == picture).all((1, 2, 3)).any() for picture in pictures)
    assert all((one == other).all() for one, other in zip(pictures, example_pictures(packs, SETS, 12), strict=True))


def test_texts_of_a_test_are_never_among_them(words):
    texts = example_texts(words, SETS, 1000)
    assert "red" in texts
    assert not {words.texts[row[0]] for row in words.captions["shots"]} & set(texts)
    assert len(example_texts(words, SETS, 3)) == 3
