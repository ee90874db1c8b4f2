"""Some training pictures and texts, drawn by a seed: what an export looks at to order and to quantise.

Never those held out for a test: what is fitted to them, however little, would make the test kinder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.training.pack import pixels_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Pixels
    from lookalike.training.photo_sets import PhotoSet
    from lookalike.training.words import Words

_SEED = 11


def example_pictures(packs: Path, sets: Sequence[PhotoSet], count: int) -> list[Pixels]:
    """About `count` pictures of the training sets, each set by its share, at least one of each."""
    draw = np.random.default_rng(_SEED)
    trained = [each for each in sets if each.use == "train" and each.share > 0]
    whole = sum(each.share for each in trained)
    pictures: list[Pixels] = []
    for each in trained:
        packed = pixels_of(packs, each.name)
        wanted = min(len(packed), max(1, round(count * each.share / whole)))
        pictures += [packed[row] for row in np.sort(draw.choice(len(packed), wanted, replace=False))]
    return pictures


def example_texts(words: Words, sets: Sequence[PhotoSet], count: int) -> list[str]:
    """At most `count` texts, none of a set that is held out."""
    held = held_texts(words, sets)
    usable = [text for number, text in enumerate(words.texts) if number not in held]
    chosen: NDArray[np.int64] = np.random.default_rng(_SEED).choice(len(usable), min(count, len(usable)), replace=False)
    return [usable[number] for number in np.sort(chosen)]


def held_texts(words: Words, sets: Sequence[PhotoSet]) -> set[int]:
    """Numbers of the captions of sets held out."""
    return {
        number for each in sets if each.use == "hold out" for row in words.captions.get(each.name, []) for number in row
    }
