"""What preparing texts is worth: stop words, ground forms and templates, on the fashion catalogue, English and Russian.

Two rulers, both with the pictures' vectors of the built-in encoder (`fashion.py` says what the folder holds):

    question -> pictures   attribute questions; right is what has all that is named: precision@5, map@10
    product's text -> its own picture, as in training and in captions: hit@10

Each step is compared with the plain text, question by question; an interval that leaves out 0 is a difference.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fashion import load_products, load_words, questions_about, russian_title, shares
from measuring import arguments

from lookalike import load_encoder
from lookalike.engine.text_preparation import TextPreparation
from lookalike.evaluation.metrics import bootstrap_interval, judge, per_query

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUESTIONS = 400
TITLES = 3000
SEED = 3
STEPS = {
    "plain": TextPreparation(),
    "stop words left out": TextPreparation(stop_words=True),
    "ground forms": TextPreparation(lemmas=True),
    "both": TextPreparation(stop_words=True, lemmas=True),
}
TEMPLATES = {
    "title, type": "{title}, {type}",
    "type: title": "{type}: {title}",
    "title, type, colour": "{title}, {type}, {colour}",
    "a photo of title": "a photo of {title}",
}


def fields_of(folder: Path) -> dict[str, dict[str, str]]:
    """Number of a product -> its type and colour as the catalogue writes them."""
    with (folder / "styles.csv").open(newline="", encoding="utf-8") as stream:
        return {row["id"]: {"type": row["articleType"], "colour": row["baseColour"]} for row in csv.DictReader(stream)}


def as_asked(named: dict[str, str]) -> str:
    """A question in a sentence's words: "a navy blue striped shirt for men"."""
    words = {kind: load_words()[kind][value][0] for kind, value in named.items()}
    thing = " ".join(words[kind] for kind in ("colour", "pattern", "type") if kind in words)
    return f"a {thing} for {named['gender'].lower()}" if "gender" in named else f"a {thing}"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    encoder = load_encoder()
    products = load_products(asked.folder)
    vectors = np.load(asked.folder / "vectors.npy").astype(np.float32)[[each.row for each in products]]
    about = fields_of(asked.folder)

    def ranked(texts: list[str], right: NDArray[np.bool_], metric: str) -> NDArray[np.float64]:
        found = np.concatenate([encoder.encode_texts(texts[at : at + 256]) for at in range(0, len(texts), 256)])
        return per_query(judge(found @ vectors.T, right, 10), metric)

    figures = []
    questions = questions_about(products, QUESTIONS, SEED)
    right = np.stack([shares(question, products) == 1 for question in questions])
    for language, texts in (
        ("English", [as_asked(question.named) for question in questions]),
        ("Russian", [question.russian for question in questions]),
    ):
        for metric in ("precision@5", "map@10"):
            plain = ranked(texts, right, metric)
            for name, step in STEPS.items():
                values = ranked([step.query_text(text) for text in texts], right, metric)
                figures.append(entry(f"question -> pictures, {language}", name, metric, values, plain))
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(products))[:TITLES])
    own = chosen[:, None] == np.arange(len(products))
    for language in ("English", "Russian"):
        titled = [
            {"title": products[row].title if language == "English" else russian_title(products[row].title)}
            | about[products[row].number]
            for row in chosen
        ]
        plain = ranked([each["title"] for each in titled], own, "hit@10")
        templates = {name: TextPreparation(template=text) for name, text in TEMPLATES.items()}
        for name, step in (STEPS | (templates if language == "English" else {})).items():
            values = ranked([step.item_text(each) for each in titled], own, "hit@10")
            figures.append(entry(f"title -> its picture, {language}", name, "hit@10", values, plain))
    for each in figures:
        print(" | ".join(str(value) for value in each.values()))
    if asked.out:
        found = {"encoder": encoder.id, "products": len(products), "figures": figures}
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def entry(
    what: str, step: str, metric: str, values: NDArray[np.float64], plain: NDArray[np.float64]
) -> dict[str, object]:
    low, high = bootstrap_interval(values - plain, SEED)
    return {
        "what": what,
        "step": step,
        "metric": metric,
        "%": round(100 * float(values.mean()), 1),
        "gain": round(100 * float((values - plain).mean()), 2),
        "between": f"{100 * low:+.2f} and {100 * high:+.2f}",
        "queries": len(values),
    }


if __name__ == "__main__":
    main()
