"""What heads bring to the built-in encoder on the fashion catalogue and on Flickr8k: docs/benchmarks/heads.md.

    python tools/bench/heads.py --data DIR --fashion DIR --work DIR [--out FILE]

`data` is what `heads_data.py` wrote, `fashion` what `fashion.py` reads; vectors are kept in `work` between runs. Each
catalogue is tuned with the settings of the issue (lr 5e-5, 5 epochs, weight decay 0.01) and with the recipe's own. The
rate and the epoch are chosen on the validation part; the test part is asked once.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fashion
import numpy as np

from lookalike.encoders.load import load_encoder
from lookalike.evaluation.measured import Measured, evaluate_vectors
from lookalike.training.heads import Heads, HeadSettings, train_heads
from lookalike.training.heads_recipe import VIEWS
from lookalike.training.material import Material, gather
from lookalike.training.measuring import METRICS, by_pictures, by_words, questions_of
from lookalike.training.splits import TEST, TRAIN, VALIDATION, split_by_group

if TYPE_CHECKING:
    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder

SETTINGS = {
    "issue": HeadSettings(epochs=5, lr=5e-5, weight_decay=0.01, strength=1),
    "whole": HeadSettings(strength=1),
    "own": HeadSettings(),
}
QUESTIONS = 200
UNUSED = 3
"""Part of a split that nothing looks at: copies of test photos."""


def held_out(material: Material) -> Material:
    """Flickr8k: the photos of `test/` are the test, a tenth of the others validates; their copies are unused."""
    test = np.array([f"{Path(uri).parent.name}" == "test" for uri in material.uris])
    copies = np.isin(material.groups, material.groups[test]) & ~test
    split = split_by_group(material.groups, shares=(0.9, 0.1), seed=0)
    split[copies], split[test] = UNUSED, TEST
    return replace(material, split=split)


def never_seen(material: Material, fold: int, folds: int = 5) -> Material:
    """Only the photos of `test/`, in turns: one fold tests, the next validates, the others train."""
    test = material.split == TEST
    part = split_by_group(material.groups, shares=(1 / folds,) * folds, seed=1)
    split = np.where(part == fold, TEST, np.where(part == (fold + 1) % folds, VALIDATION, TRAIN))
    return replace(material, split=np.where(test, split, UNUSED).astype(np.uint8))


def titles(material: Material, heads: Heads) -> dict[str, Any]:
    """Each held-out text against the held-out pictures, before and after."""
    questions = questions_of(material, TEST)
    before = by_words(questions, material.whole(), material.texts)
    return told(before, by_words(questions, heads.image(material.whole()), heads.text(material.texts)))


def pictures(material: Material, heads: Heads) -> dict[str, Any]:
    """Held-out pictures against each other, by category."""
    before = by_pictures(material, TEST, material.whole())
    return told(before, by_pictures(material, TEST, heads.image(material.whole())))


@dataclass(frozen=True)
class Attributes:
    """Questions made of attributes (colour, gender, pattern, type), and which of the pool's pictures fit them."""

    rows: np.ndarray
    right: np.ndarray
    words: dict[str, Vectors]

    @classmethod
    def about(cls, material: Material, pool: list[fashion.Product], base: Encoder) -> Attributes:
        number = {Path(uri).stem: row for row, uri in enumerate(material.uris)}
        asked = fashion.questions_about(pool, QUESTIONS, seed=0)
        words = {name: base.encode_texts([getattr(each, name) for each in asked]) for name in ("english", "russian")}
        right = np.array([fashion.shares(question, pool) == 1 for question in asked])
        return cls(np.array([number[each.number] for each in pool]), right, words)

    def answered(self, material: Material, heads: Heads, language: str) -> dict[str, Any]:
        seen, words = material.whole(self.rows), self.words[language]
        return told(ranked(words, seen, self.right), ranked(heads.text(words), heads.image(seen), self.right))


def ranked(asked: Vectors, items: Vectors, right: np.ndarray) -> Measured:
    return evaluate_vectors(asked, items, lambda rows: right[rows], METRICS)


def told(before: Measured, after: Measured) -> dict[str, Any]:
    """Figures before and after, with the interval of the difference and the ceiling."""
    was, became = before.means() or {}, after.means() or {}
    return {"questions": before.queries} | {
        name: {
            "before": round(was[name], 4),
            "after": round(became[name], 4),
            "interval": [round(each.low, 4), round(each.high, 4)],
            "p": round(each.p, 4),
            **({"ceiling": round(before.ceilings[name], 4)} if name in before.ceilings else {}),
        }
        for name, each in after.against(before).items()
    }


def trained(material: Material, settings: HeadSettings) -> tuple[Heads, dict[str, Any]]:
    began = time.monotonic()
    heads = train_heads(material, settings)
    chosen = {f"{rate:g}": round(found, 4) for rate, found in heads.tried.items()}
    curve = [round(epoch.found, 4) for epoch in heads.curve]
    took = round(time.monotonic() - began, 1)
    return heads, {"epoch": heads.best, "rates": chosen, "validation map@10": curve, "training_s": took}


def over_folds(material: Material, settings: HeadSettings) -> dict[str, Any]:
    """Photos that the encoder never saw: every text asked once, of the fold that its heads did not see."""
    asked: list[tuple[Measured, Measured]] = []
    for fold in range(5):
        part = never_seen(material, fold)
        heads, questions = train_heads(part, settings), questions_of(part, TEST)
        before = by_words(questions, part.whole(), part.texts)
        asked.append((before, by_words(questions, heads.image(part.whole()), heads.text(part.texts))))
    return told(*(joined([pair[at] for pair in asked]) for at in (0, 1)))


def joined(folds: list[Measured]) -> Measured:
    """The questions of all folds as one; what stands for single answers is that of the first and not used."""
    first = folds[0]
    values = {name: np.concatenate([each.values[name] for each in folds]) for name in first.values}
    weights = [each.queries for each in folds]
    ceilings = {
        name: float(np.average([each.ceilings[name] for each in folds], weights=weights)) for name in first.ceilings
    }
    return replace(first, values=values, asked=np.arange(sum(weights)), ceilings=ceilings)


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("data", "fashion", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    base = load_encoder()
    catalogue = gather(asked.data / "fashion" / "catalogue.csv", base, work=asked.work / "fashion", views=VIEWS)
    flickr = held_out(
        gather(asked.data / "flickr8k" / "catalogue.csv", base, work=asked.work / "flickr8k", views=VIEWS)
    )
    products = fashion.load_products(asked.fashion)
    tested = {Path(catalogue.uris[row]).stem for row in catalogue.pictures(TEST)}
    held = Attributes.about(catalogue, [each for each in products if each.number in tested], base)
    everything = Attributes.about(catalogue, products, base)
    found: dict[str, Any] = {"base": base.id, "fashion": {"material": catalogue.about()}}
    found["flickr8k"] = {"material": flickr.about()}
    for name, settings in SETTINGS.items():
        heads, how = trained(catalogue, settings)
        found["fashion"][name] = how | {
            "titles": titles(catalogue, heads),
            "pictures, by category": pictures(catalogue, heads),
            "attributes, English, held-out products": held.answered(catalogue, heads, "english"),
            "attributes, Russian, held-out products": held.answered(catalogue, heads, "russian"),
            "attributes, English, all products": everything.answered(catalogue, heads, "english"),
            "forgotten: flickr-1k captions": titles(flickr, heads),
        }
        heads, how = trained(flickr, settings)
        found["flickr8k"][name] = how | {
            "captions": titles(flickr, heads),
            "captions, trained on photos the encoder never saw": over_folds(flickr, settings),
        }
        text = json.dumps(found, indent=1)
        print(text, flush=True)
        if asked.out:
            asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
