"""How the built-in encoder is trained: every number a run depends on besides its data (`photo_sets`, `parallel`)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lookalike.training.augment import Augmentation
from lookalike.training.towers import TowerSizes

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a phase of training steps. It follows the clock (elapsed / `minutes`): a shared CPU has no fixed speed.

    `final_rate`: the part of the learning rate that is left at the end. `ema`: how much of the averaged weights stays
    at each step; they move every `ema_every` steps.
    """

    minutes: float
    batch: int
    seed: int
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    clip_norm: float = 3.0
    betas: tuple[float, float] = (0.9, 0.98)
    warmup_steps: int = 200
    final_rate: float = 0.003
    ema: float = 0.998
    ema_every: int = 4

    def rate(self, step: int, progress: float) -> float:
        """The learning rate: up in the first steps, then down half a cosine."""
        fall = 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)) + self.final_rate
        return self.learning_rate * min(1, (step + 1) / self.warmup_steps) * fall


@dataclass(frozen=True, slots=True)
class SpaceRecipe:
    """How the teachers' shared space is trained: two small heads on frozen features.

    `sets`: whose photos the heads learn from; empty: all that the teacher was asked about and that have words.
    """

    dim: int = 256
    hidden: int = 1024
    batch: int = 1536
    learning_rate: float = 1e-3
    steps: int = 1350
    label_share: float = 0.3
    seed: int = 1
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """Until which share of the run (0-1) pictures of `side` pixels are shown, in crops of at least `smallest_area`."""

    until: float
    side: int
    smallest_area: float = 0.5


@dataclass(frozen=True, slots=True)
class ImageLosses:
    """How much each part of the image tower's loss counts; `image_phase` says what they are."""

    contrast: float = 1.0
    picture: float = 2.0
    feature: float = 1.5
    spread: float = 0.7
    concept: float = 0.5


@dataclass(frozen=True, slots=True)
class ImageRecipe:
    """The image tower alone.

    `label_share`: how often a captioned picture is shown with its teacher's label instead of a caption. `alike`:
    cosine of two texts above which they are not taken for different. `bank`: captions drawn as alternatives;
    `spread_bank` of them for the spread.
    """

    schedule: Schedule
    stages: tuple[Stage, ...] = (Stage(0.25, 64), Stage(0.76, 96), Stage(1.0, 128, 0.6))
    losses: ImageLosses = field(default_factory=ImageLosses)
    augmentation: Augmentation = field(default_factory=Augmentation)
    label_share: float = 0.15
    alike: float = 0.72
    bank: int = 2048
    spread_bank: int = 1024
    smoothing: float = 0.05
    first_scale: float = 25.0
    largest_scale: float = 60.0

    def stage(self, progress: float) -> Stage:
        """The stage at `progress` (0-1)."""
        return next((stage for stage in self.stages if progress < stage.until), self.stages[-1])


@dataclass(frozen=True, slots=True)
class TextLosses:
    """How much each part of the text tower's loss counts; `text_phase` says what they are."""

    sentence: float = 3.0
    spread: float = 0.5
    meaning: float = 0.5
    photo: float = 0.0


@dataclass(frozen=True, slots=True)
class TextRecipe:
    """The text tower alone. `shares`: of a batch, by group of texts (`text_material`), relative to one another.

    `same`: cosine of two targets above which they mean the same; `alike`: above which they are not taken for
    different. `bank`: vectors of pictures drawn as alternatives.
    """

    schedule: Schedule
    shares: Mapping[str, float]
    losses: TextLosses = field(default_factory=TextLosses)
    bank: int = 1024
    same: float = 0.9
    alike: float = 0.75
    spread_scale: float = 30.0
    first_scale: float = 30.0
    largest_scale: float = 60.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One encoder: the space, then four phases.

    `image` aims at the fixed space, and so do `bag` and `text`, the text tower without and with its blocks: neither
    tower waits for the other. `match` goes on with the text tower against what the finished image tower sees.

    `copies`: how often the texts of a group are shown to the tokeniser's training; a half takes every second text.
    `side`: pixels the finished image tower looks at.
    """

    name: str
    sizes: TowerSizes
    space: SpaceRecipe
    image: ImageRecipe
    bag: TextRecipe
    text: TextRecipe
    match: TextRecipe
    copies: Mapping[str, float]
    side: int = 128

    def with_schedule(self, *, minutes: float | None = None, batch: int | None = None) -> Recipe:
        """The recipe with other minutes and another batch in each phase; what is None stays."""
        changes = {name: value for name, value in (("minutes", minutes), ("batch", batch)) if value is not None}
        phases = {name: getattr(self, name) for name in ("image", "bag", "text", "match")}
        return replace(
            self,
            **{name: replace(each, schedule=replace(each.schedule, **changes)) for name, each in phases.items()},
        )


_PHRASED = 0.25  # of a group of single words, this share is shown in a phrase: "фото {}"


def _words(**shares: float) -> dict[str, float]:
    """Groups of single words in languages, each with its group of phrases."""
    plain = {f"{language}-word": share * (1 - _PHRASED) for language, share in shares.items()}
    return plain | {f"{language}-phrase": share * _PHRASED for language, share in shares.items()}


def _captions(**shares: float) -> dict[str, float]:
    return {f"{language}-caption": share for language, share in shares.items()}


_SHARES = {
    "en-name": 0.08,
    **_captions(en=0.20, ru=0.09, uk=0.09, de=0.035, fr=0.035, es=0.035, cs=0.03, zh=0.035, ja=0.008, tr=0.008),
    **_words(en=0.03, ru=0.10, uk=0.07, de=0.02, fr=0.02, es=0.02, cs=0.02, pl=0.03, zh=0.02),
    **_words(ja=0.012, tr=0.012, vi=0.02),
}
"""English first, Russian and Ukrainian next: what the encoder is to know best is seen most."""

_COPIES = {
    **_captions(en=1, ru=8, uk=2, ja=3, tr=3, de=0.5, fr=0.5, es=0.5, cs=0.5, zh=0.5),
    **{f"{language}-word": 3 for language in ("en", "de", "fr", "es", "pl", "cs", "zh", "ja", "tr", "vi")},
    **{f"{language}-word": 8 for language in ("ru", "uk")},
}
"""Makes the languages about even: what has few texts would otherwise be spelt letter by letter."""


def _text_schedule(*, minutes: float, batch: int, seed: int, learning_rate: float) -> Schedule:
    return Schedule(minutes, batch, seed, learning_rate, weight_decay=0.02, clip_norm=1.0)


BUILTIN_2 = Recipe(
    name="builtin-2",
    sizes=TowerSizes(vocabulary=20_480),
    space=SpaceRecipe(sets=("coco", "flickr", "caltech", "imagenette")),
    image=ImageRecipe(Schedule(minutes=80, batch=128, seed=5)),
    bag=TextRecipe(_text_schedule(minutes=13, batch=2048, seed=8, learning_rate=5e-3), _SHARES),
    text=TextRecipe(_text_schedule(minutes=40, batch=256, seed=9, learning_rate=8e-4), _SHARES),
    match=TextRecipe(
        _text_schedule(minutes=10, batch=256, seed=10, learning_rate=8e-4), _SHARES, TextLosses(photo=0.6)
    ),
    copies=_COPIES,
)

ON_A_GPU = replace(
    BUILTIN_2,
    name="builtin-2-gpu",
    image=ImageRecipe(
        Schedule(minutes=22, batch=2048, seed=5, learning_rate=3e-3, warmup_steps=300),
        stages=(Stage(0.7, 96), Stage(1.0, 128, 0.6)),
    ),
    bag=TextRecipe(_text_schedule(minutes=1, batch=4096, seed=8, learning_rate=5e-3), _SHARES),
    text=TextRecipe(_text_schedule(minutes=3, batch=2048, seed=9, learning_rate=2e-3), _SHARES),
    match=TextRecipe(
        _text_schedule(minutes=2, batch=2048, seed=10, learning_rate=1e-3), _SHARES, TextLosses(photo=0.6)
    ),
)
"""The same for half an hour of a large GPU: large batches, no small pictures. Not run yet."""

RECIPES = {recipe.name: recipe for recipe in (BUILTIN_2, ON_A_GPU)}
