"""From which likeness of words on `lookalike judge` proposes a pair: measured on the fashion catalogue.

Questions name attributes; a product is right when it has all of them. Likeness is that of the question with the
product's text: its title, or the title with its type and colour. Thresholds are chosen on one half of the questions
(`PROPOSE`, `SURE`) and their error rates told on the other half, questions it never saw.

    questions  share of the questions that have a proposal
    proposed   pairs above the threshold for a question, at most MANY
    right      share of them that are right, the mean over questions (95 % interval over questions)
    found      share of all right products that are among them, the mean over questions
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from fashion import load_products, questions_about, russian_title, shares
from measuring import arguments
from text_preparation import fields_of

from lookalike import load_encoder
from lookalike.encoders.sentences import open_sentence_encoder
from lookalike.engine.text_preparation import TextPreparation
from lookalike.evaluation.metrics import bootstrap_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUESTIONS = 600
SEED = 11
PROPOSE, SURE = 0.5, 0.95
"""Shares of proposals that shall be right: for a person to look at, and to be taken unseen."""
MANY = 30
"""Proposals that are looked at for one question: `judge`'s own number."""
TEXTS = {
    "title": TextPreparation(),
    "title, type, colour": TextPreparation(template="{title}, {type}, {colour}"),
    "title, stop words and ground forms": TextPreparation(stop_words=True, lemmas=True),
}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoders", default="builtin,minilm", help="names or folders, separated by commas")
    asked = parser.parse_args()
    products = load_products(asked.folder)
    about = fields_of(asked.folder)
    questions = questions_about(products, QUESTIONS, SEED)
    random.Random(SEED).shuffle(questions)  # the first to be drawn are the commonest
    right = np.stack([shares(question, products) == 1 for question in questions])
    figures: list[dict[str, Any]] = []
    for called in asked.encoders.split(","):
        encoder = open_sentence_encoder(called, load_encoder)
        for language in ("English", "Russian"):
            words = [question.english if language == "English" else question.russian for question in questions]
            for text, prepared in TEXTS.items():
                if language == "Russian" and "{" in prepared.template:
                    continue  # the attributes are in English
                said = [
                    {"title": each.title if language == "English" else russian_title(each.title)} | about[each.number]
                    for each in products
                ]
                one = encoder.encode_texts([prepared.query_text(each) for each in words])
                other = in_parts(encoder, [prepared.item_text(each) for each in said])
                what = {"encoder": called, "language": language, "text": text}
                figures += measured(what, one @ other.T, right)
    if asked.out:
        asked.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def in_parts(encoder: Any, texts: list[str]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.concatenate(
        [encoder.encode_texts(texts[at : at + 512]) for at in range(0, len(texts), 512)]
    )
    return found


def measured(what: dict[str, str], likeness: NDArray[np.float32], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """The curve on the first half of the questions, and on the second what the thresholds chosen on it are worth."""
    half = len(likeness) // 2
    kept = likeness.copy()
    limit = np.partition(likeness, -MANY, axis=1)[:, -MANY]
    kept[kept < limit[:, None]] = -1  # no more than MANY a question
    found = []
    grid = np.arange(0.2, 0.98, 0.01)
    curve = [at_threshold(kept[:half], right[:half], each) for each in grid]
    for goal, wanted in (("propose", PROPOSE), ("sure", SURE)):
        enough = [each for each, point in zip(grid, curve, strict=True) if point["right"] >= wanted]
        threshold = round(float(enough[0]), 2) if enough else None
        told = {} if threshold is None else at_threshold(kept[half:], right[half:], threshold)
        found.append({**what, "goal": goal, "threshold": threshold, **told})
        print(" | ".join(str(value) for value in found[-1].values()), flush=True)
    for each in (0.4, 0.5, 0.6, 0.7, 0.8):
        found.append({**what, "goal": "", "threshold": each, **at_threshold(kept[half:], right[half:], each)})
        print("    ", " | ".join(str(value) for value in list(found[-1].values())[4:]), flush=True)
    return found


def at_threshold(likeness: NDArray[np.float32], right: NDArray[np.bool_], threshold: float) -> dict[str, Any]:
    proposed = likeness >= threshold
    hits, counts = (proposed & right).sum(axis=1), proposed.sum(axis=1)
    asked = counts > 0
    shares_right = hits[asked] / counts[asked]
    low, high = bootstrap_interval(shares_right, SEED) if asked.any() else (0.0, 0.0)
    return {
        "questions": round(float(asked.mean()), 3),
        "proposed": round(float(counts.mean()), 1),
        "right": round(float(shares_right.mean()), 3) if asked.any() else 0.0,
        "between": [round(low, 3), round(high, 3)],
        "found": round(float((hits / right.sum(axis=1)).mean()), 3),
    }


if __name__ == "__main__":
    main()
