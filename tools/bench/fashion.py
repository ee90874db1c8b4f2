"""The fashion catalogue of the benchmarks: products with pictures, a title and attributes, and questions about them.

Two public repositories on GitHub hold it: GaneshNeupane01/Fashion-Recommendation-System (images/ID.jpg) and
animmala3942/FashionProductRecommendationSystem (styles.csv, styles_text.csv). Nothing of it is kept here.
`folder` below has `images/`, both tables, and then `vectors.npy` and `ids.npy`, made once by an encoder.
"""

from __future__ import annotations

import csv
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WORDS = Path(__file__).with_name("fashion_words.tsv")
ASKED_LEAST = 5
"""Products that a question has to fit: half of the ten places."""
NAMED = {"colour": 0.8, "gender": 0.7, "pattern": 0.7}
"""How often an attribute that there is stands in a question."""
PATTERNS = {
    "check": {"check", "checks", "checked"},
    "striped": {"striped", "stripes", "stripe"},
    "printed": {"printed", "print"},
    "solid": {"solid"},
    "leather": {"leather"},
    "graphic": {"graphic"},
}
"""Words of a title that say what a pattern is."""
_ENDINGS = {"ый": ("ый", "ая", "ое", "ые"), "ой": ("ой", "ая", "ое", "ые"), "ий": ("ий", "ая", "ое", "ие")}
_SOFT = ("ий", "яя", "ее", "ие")


@dataclass(frozen=True)
class Product:
    """`row`: its vector's; `attributes`: kind -> values that hold."""

    number: str
    row: int
    title: str
    attributes: dict[str, frozenset[str]]


@dataclass(frozen=True)
class Question:
    """Its wording, and the attributes it names: kind -> value."""

    english: str
    russian: str
    named: dict[str, str]


def load_words() -> dict[str, dict[str, tuple[str, str, str]]]:
    """kind -> value -> (English, Russian, gender of a Russian noun or "")."""
    table: dict[str, dict[str, tuple[str, str, str]]] = {}
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, value, english, russian, *gender = line.split("\t")
            table.setdefault(kind, {})[value] = (english, russian, gender[0] if gender else "")
    return table


def load_products(folder: Path) -> list[Product]:
    """All products that have a picture, in the order of their vectors."""
    with (folder / "styles.csv").open(newline="", encoding="utf-8") as one:
        styles = list(csv.reader(one))[1:]
    with (folder / "styles_text.csv").open(newline="", encoding="utf-8") as other:
        titles = [row[0] for row in list(csv.reader(other))[1:]]
    rows = {str(id): row for row, id in enumerate(np.load(folder / "ids.npy").tolist())}
    products = []
    for (number, gender, _, _, kind, colour, *_), title in zip(styles, titles, strict=True):
        if number in rows:
            words = set(re.findall(r"\w+", title.lower()))
            patterns = frozenset(name for name, its in PATTERNS.items() if its & words)
            attributes = {
                "type": frozenset([kind]),
                "colour": frozenset([colour]),
                "gender": frozenset([gender]),
                "pattern": patterns,
            }
            products.append(Product(number, rows[number], title, attributes))
    return sorted(products, key=lambda product: product.row)


def questions_about(products: list[Product], n: int, seed: int) -> list[Question]:
    """Up to `n` different questions, each made of two to four attributes of a product drawn at random.

    The type is always named; at least `ASKED_LEAST` products have all that is named.
    """
    draw, words = random.Random(seed), load_words()
    found: dict[str, Question] = {}
    for product in draw.choices(products, k=20 * n):
        named = {
            kind: draw.choice(sorted(values))
            for kind, values in product.attributes.items()
            if values and (kind == "type" or draw.random() < NAMED[kind])
        }
        if len(named) < 2 or any(value not in words[kind] for kind, value in named.items()):
            continue
        question = Question(in_english(named, words), in_russian(named, words), named)
        if question.english not in found and (shares(question, products) == 1).sum() >= ASKED_LEAST:
            found[question.english] = question
            if len(found) == n:
                break
    return list(found.values())


def shares(question: Question, products: list[Product]) -> np.ndarray:
    """float32 (products,): what share of the named attributes each product has."""
    held = [sum(value in product.attributes[kind] for kind, value in question.named.items()) for product in products]
    return np.array(held, np.float32) / len(question.named)


def in_english(named: dict[str, str], words: dict[str, dict[str, tuple[str, str, str]]]) -> str:
    return " ".join(words[kind][named[kind]][0] for kind in ("colour", "gender", "pattern", "type") if kind in named)


def in_russian(named: dict[str, str], words: dict[str, dict[str, tuple[str, str, str]]]) -> str:
    _, noun, gender = words["type"][named["type"]]
    parts = [words[kind][named[kind]][1] for kind in ("colour", "gender", "pattern") if kind in named]
    before = [agreeing(part, gender) for part in parts if agreeing(part, "f") != part]
    behind = [part for part in parts if agreeing(part, "f") == part]
    return " ".join([*before, noun, *behind])


def agreeing(adjective: str, gender: str) -> str:
    """A Russian adjective in the nominative of that gender; anything else as it is."""
    endings = _ENDINGS.get(adjective[-2:])
    if endings is None or " " in adjective:
        return adjective
    soft = adjective.endswith("ний") and not adjective.endswith("ный")
    chosen = (_SOFT if soft else endings)["mfnp".index(gender or "m")]
    if chosen == "ые" and adjective[-3] in "кгх":
        chosen = "ие"
    return adjective[:-2] + chosen


def russian_title(title: str) -> str:
    """A title with its attribute words in Russian, word by word; names of makers stay."""
    words = load_words()
    known = {value.lower(): entry for kind in ("colour", "type") for value, entry in words[kind].items()}
    known |= dict(words["title"]) | {"printed": words["pattern"]["printed"], "striped": words["pattern"]["striped"]}
    known |= {"check": words["pattern"]["check"], "leather": words["pattern"]["leather"]}
    parts = title.split()
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(parts):
        width = next(w for w in (3, 2, 1) if w == 1 or " ".join(parts[at : at + w]).lower() in known)
        text = " ".join(parts[at : at + width])
        _, russian, gender = known.get(text.lower(), ("", text, ""))
        found.append((russian, gender))
        at += width
    gender = next((each for _, each in reversed(found) if each), "m")
    return " ".join(agreeing(text, gender) for text, _ in found if text)
