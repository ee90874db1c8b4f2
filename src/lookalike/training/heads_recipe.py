"""The recipe `heads`: train projection heads on a catalogue's texts, and say what that brings (`heads` trains)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.errors import SourceError
from lookalike.encoders.derived import write_derived
from lookalike.evaluation.chart import Axis, Line
from lookalike.evaluation.report import Plot, Section, Table
from lookalike.training.before_after import sheet_of
from lookalike.training.heads import CHOSEN_BY, HeadSettings, train_heads
from lookalike.training.measuring import PICTURES, WORDS, by_pictures, by_words, questions_of
from lookalike.training.splits import TEST, TRAIN, VALIDATION
from lookalike.training.tuned import Comparison, Tuned, judged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.training.heads import Heads
    from lookalike.training.material import Material

Settings = HeadSettings
VIEWS = 2
"""Looks at each picture, unless said."""


def tune(materials: tuple[Material, ...], settings: HeadSettings, told: Callable[[str], None]) -> Tuned:
    """See `tuned`. Raises SourceError where there are no texts to learn from, or none left to validate and test on."""
    material = materials[0]
    for part, name in ((TRAIN, "train on"), (VALIDATION, "validate on"), (TEST, "test on")):
        if not len(material.texts):
            raise SourceError(
                f"there are no texts to {name}",
                hint="heads need titles or captions: name their columns with --text-columns, and an encoder with words",
            )
        if not len(material.pairs(part)):
            groups = len(np.unique(material.groups))
            raise SourceError(
                f"of {groups} different pictures none with a text is left to {name}",
                hint="give more pictures with texts; copies and pictures of one product count once",
            )
    heads = train_heads(material, settings, lambda rate, found: told(_line(rate, found)))
    images, texts = heads.image(material.whole()), heads.text(material.texts)
    compared = _compared(material, images, texts)
    validated = _by_words(material, VALIDATION, images, texts).differences().get(CHOSEN_BY)
    better, said = judged(CHOSEN_BY, WORDS, validated, compared)
    verdict = said if better else f"not surely better than the base: {said}"
    about = {
        "recipe": "heads",
        "settings": asdict(settings),
        "epoch": heads.best,
        "tried": {f"{rate:g}": found for rate, found in heads.tried.items()},
        "material": material.about(),
    }

    def write(folder: Path, encoders: tuple[Encoder, ...]) -> None:
        examples = material.whole(material.pictures(TRAIN))
        write_derived(folder, base=encoders[0], image=heads.image, text=heads.text, about=about, examples=examples)

    shown = sheet_of(material, questions_of(material, TEST), compared[0].before, compared[0].after)
    return Tuned(
        "heads",
        write,
        compared,
        better,
        verdict,
        sections=(Section("For example", (shown,)), _curves(heads)),
        curve=tuple(
            {name: value for name, value in asdict(epoch).items() if value is not None} for epoch in heads.curve
        ),
        about=about,
    )


def _by_words(material: Material, part: int, images: Vectors, texts: Vectors) -> Comparison:
    questions = questions_of(material, part)
    before = by_words(questions, material.whole(), material.texts)
    note = (
        "No text was learned from." if questions.new else "The texts also stand with pictures that were learned from."
    )
    return Comparison(WORDS, before, by_words(questions, images, texts), note=note)


def _compared(material: Material, images: Vectors, texts: Vectors) -> tuple[Comparison, ...]:
    words = _by_words(material, TEST, images, texts)
    pictures = Comparison(PICTURES, by_pictures(material, TEST, material.whole()), by_pictures(material, TEST, images))
    return (words, pictures) if pictures.before.queries else (words,)


def _line(rate: float, found: Heads) -> str:
    return (
        f"rate {rate:g}: {CHOSEN_BY} of the validation part from {found.curve[0].found:.3f} to {found.found:.3f}, "
        f"at epoch {found.best} of {len(found.curve) - 1}"
    )


def _curves(heads: Heads) -> Section:
    """What each rate came to, and of the best loss, cosine and CHOSEN_BY against epochs; the best epoch stands out."""
    rates = tuple((f"{rate:g}", f"{found:.3f}") for rate, found in heads.tried.items())
    learned = tuple((float(each.epoch), each.loss) for each in heads.curve if each.loss is not None)
    validated = tuple((float(each.epoch), each.validation_loss) for each in heads.curve)
    cosine = tuple((float(each.epoch), each.cosine) for each in heads.curve)
    found = tuple((float(each.epoch), each.found) for each in heads.curve)
    x = Axis("epoch")
    lines = (Line("training", learned), Line("validation", validated, heads.best))
    return Section(
        "How it learned",
        (
            Table(("rate", f"best {CHOSEN_BY} of the validation part"), rates),
            Plot("Loss", lines, x, Axis("loss"), note="Epoch 0 is the encoder as it was."),
            Plot("Cosine of right pairs", (Line("validation", cosine, heads.best),), x, Axis("cosine")),
            Plot(f"{CHOSEN_BY} of the validation part", (Line("validation", found, heads.best),), x, Axis(CHOSEN_BY)),
        ),
    )
