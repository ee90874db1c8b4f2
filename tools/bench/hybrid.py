"""Words, meaning and both together on the fashion catalogue: python tools/bench/hybrid.py FOLDER

FOLDER holds the catalogue as tools/bench/fashion.py says; vectors are made by the built-in encoder when they are not
there. Products are split in two by their number; what can be tuned was tuned on one half (--part tune), the figures are
of the other. Questions are made of attributes; right is what has all that are named. Three settings: English questions
on English titles, Russian ones on titles whose attribute words are Russian, Russian ones on English titles.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fashion import Product, Question, load_products, questions_about, russian_title, shares

from lookalike.encoders.load import load_encoder
from lookalike.engine.fuse import CANDIDATES, fuse
from lookalike.engine.word_learning import learn_words
from lookalike.images.decode import decode_picture
from lookalike.store.collection_store import Found, Snapshot, Store

if TYPE_CHECKING:
    from collections.abc import Callable

K = 10
QUESTIONS = 1000
NAMES = 500
RESAMPLES = 10_000
SETTINGS = {
    "English, English titles": ("english", lambda title: title),
    "Russian, Russian titles": ("russian", russian_title),
    "Russian, English titles": ("russian", lambda title: title),
}
DISCOUNT = 1 / np.log2(np.arange(2, K + 2))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=("tune", "test"), default="test")
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    options = parser.parse_args()
    encoder = load_encoder("builtin")
    vectors = encoded(options.folder, encoder)
    products = [each for each in load_products(options.folder) if part_of(each) == options.part]
    questions = questions_about(products, options.questions, seed=7)
    relevance = np.stack([shares(question, products) for question in questions])
    report = {"part": options.part, "products": len(products), "questions": len(questions), "encoder": encoder.id}
    for name, (language, translate) in SETTINGS.items():
        with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "collection") as store:
            fill(store, encoder, products, vectors, translate)
            report[name] = measured(store, encoder, questions, relevance, language)
            if name == "English, English titles":
                report["exact names"] = exact_names(store, encoder, products)
                report["typing errors"] = typing_errors(store, products)
        print(json.dumps({name: report[name]}, indent=1, ensure_ascii=False), flush=True)
    print(json.dumps(report, indent=1, ensure_ascii=False))


def part_of(product: Product) -> str:
    return ("tune", "test")[hashlib.blake2b(product.number.encode(), digest_size=1).digest()[0] % 2]


def encoded(folder: Path, encoder) -> np.ndarray:
    if not (folder / "vectors.npy").exists():
        ids = sorted(int(file.stem) for file in (folder / "images").glob("*.jpg"))
        made = []
        for start in range(0, len(ids), 64):
            files = [folder / "images" / f"{id}.jpg" for id in ids[start : start + 64]]
            pictures = [decode_picture(file.read_bytes(), side=encoder.image_side).pixels for file in files]
            made.append(encoder.encode_images(pictures))
        np.save(folder / "vectors.npy", np.concatenate(made))
        np.save(folder / "ids.npy", np.array(ids))
    return np.load(folder / "vectors.npy")


def fill(store: Store, encoder, products: list[Product], vectors, translate: Callable[[str], str]) -> None:
    def digest(text: str) -> bytes:
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    with store.writer() as writer:
        root = writer.add_root(b"/fashion/images", is_file=False)
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        found = [
            Found(
                root=root.number,
                key=f"{product.number}.jpg".encode(),
                uri=f"/fashion/images/{product.number}.jpg",
                size=1,
                modified_ns=1,
                bytes_digest=digest(product.number),
                pixels_digest=digest("pixels" + product.number),
                width=224,
                height=224,
                format="JPEG",
                metadata={"title": translate(product.title)},
                vector=vectors[product.row],
                id=product.number,
            )
            for product in products
        ]
        writer.put(space, found)
        writer.finish([(root.number, b"")])
        learn_words(writer, space, lambda: encoder)


def measured(store: Store, encoder, questions: list[Question], relevance, language: str) -> dict:
    texts = [getattr(question, language) for question in questions]
    queries = encoder.encode_texts(texts)
    orders: dict[str, list[np.ndarray]] = {}
    with store.snapshot() as snapshot:
        rows = snapshot.rows[:].astype(np.float32)
        for text, query in zip(texts, queries, strict=True):
            for system, order in answers(snapshot, rows, encoder, text, query).items():
                orders.setdefault(system, []).append(order[:K])
    strict = {system: ndcg(orders[system], (relevance > 0.999).astype(np.float32)) for system in orders}
    graded = {system: ndcg(orders[system], relevance) for system in orders}
    return {"nDCG@10": summary(strict), "nDCG@10, graded by share of attributes": summary(graded)}


def answers(snapshot: Snapshot, rows: np.ndarray, encoder, text: str, query: np.ndarray) -> dict[str, np.ndarray]:
    cosines = rows @ query
    near = np.argsort(-cosines, kind="stable")[:CANDIDATES]
    words = snapshot.word_scores(text, encoder.encode_texts)
    found = words.best(CANDIDATES)
    return {
        "meaning": near,
        "words as written": snapshot.words(text, K).rows,
        "words": found.rows,
        "reciprocal ranks, k 60": by_ranks(near, found.rows),
        "relative scores, halves": by_relative_scores(near, cosines[near], found.rows, found.scores),
        "hybrid": fuse(snapshot.rows, query, near, words, k=K).rows,
    }


def by_ranks(*lists: np.ndarray, k: int = 60) -> np.ndarray:
    """Reciprocal rank fusion (Cormack et al., 2009), what Elasticsearch, OpenSearch and Qdrant offer first."""
    scores: dict[int, float] = {}
    for rows in lists:
        for rank, row in enumerate(rows.tolist(), start=1):
            scores[row] = scores.get(row, 0.0) + 1 / (k + rank)
    return np.array(sorted(scores, key=lambda row: (-scores[row], row)), np.int64)


def by_relative_scores(near, cosines, found, shares_found) -> np.ndarray:
    """Both lists stretched to [0, 1] and added: Weaviate's relative score fusion with alpha 0.5."""
    scores: dict[int, float] = {}
    for rows, values in ((near, cosines), (found, shares_found)):
        if len(rows):
            low, high = float(values.min()), float(values.max())
            for row, value in zip(rows.tolist(), values.tolist(), strict=True):
                scores[row] = scores.get(row, 0.0) + ((value - low) / (high - low) if high > low else 1.0)
    return np.array(sorted(scores, key=lambda row: (-scores[row], row)), np.int64)


def exact_names(store: Store, encoder, products: list[Product]) -> dict[str, float]:
    """How often the product asked for by its whole title, number or file name is first; any with that title counts."""
    drawn = np.random.default_rng(3).choice(len(products), min(NAMES, len(products)), replace=False).tolist()
    report = {}
    with store.snapshot() as snapshot:
        rows = snapshot.rows[:].astype(np.float32)
        for kind, name_of in (
            ("title", lambda product: product.title),
            ("number", lambda product: product.number),
            ("file name", lambda product: f"{product.number}.jpg"),
        ):
            names = [name_of(products[row]) for row in drawn]
            queries = encoder.encode_texts(names)
            right = 0
            for row, name, query in zip(drawn, names, queries, strict=True):
                near = np.argsort(-(rows @ query), kind="stable")[:CANDIDATES]
                first = int(fuse(snapshot.rows, query, near, snapshot.word_scores(name), k=1).rows[0])
                right += first == row or (kind == "title" and products[first].title.lower() == name.lower())
            report[f"{kind}, first"] = right / len(drawn)
    return report


def typing_errors(store: Store, products: list[Product]) -> dict[str, float]:
    """Titles with one letter wrong, by words alone: how often the title is first, and how often among ten."""
    draw = random.Random(5)
    asked = first = among = 0
    with store.snapshot() as snapshot:
        for row in draw.sample(range(len(products)), NAMES):
            words = products[row].title.split()
            long = [place for place, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
            if long:
                place = draw.choice(long)
                words[place] = misspelt(words[place], draw)
                found = [products[each].title for each in snapshot.words(" ".join(words), K).rows.tolist()]
                asked += 1
                first += found[:1] == [products[row].title]
                among += products[row].title in found
    return {"titles": asked, "first": first / asked, "among ten": among / asked}


def misspelt(word: str, draw: random.Random) -> str:
    """One letter left out, doubled, replaced, or exchanged with the next, behind the first."""
    at = draw.randrange(1, len(word) - 1)
    letter = draw.choice("abcdefghijklmnopqrstuvwxyz")
    return draw.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )


def ndcg(orders: list[np.ndarray], relevance: np.ndarray) -> np.ndarray:
    """One value a question; gains are the relevance itself."""
    values = []
    for order, gains in zip(orders, relevance, strict=True):
        ideal = np.sort(gains)[::-1][:K] @ DISCOUNT
        values.append(gains[order[:K]] @ DISCOUNT[: len(order)] / ideal if len(order) else 0.0)
    return np.array(values)


def summary(values: dict[str, np.ndarray]) -> dict:
    """Means, and the difference of the hybrid to the better one of words and meaning, bootstrapped over questions."""
    better = max(("words", "meaning"), key=lambda system: values[system].mean())
    difference = values["hybrid"] - values[better]
    draws = np.random.default_rng(11).integers(0, len(difference), (RESAMPLES, len(difference)))
    low, high = np.percentile(difference[draws].mean(axis=1), [2.5, 97.5])
    means = {system: round(float(each.mean()), 4) for system, each in values.items()}
    gain = {"over": better, "by": round(float(difference.mean()), 4), "95 %": [round(low, 4), round(high, 4)]}
    return means | {"gain": gain}


if __name__ == "__main__":
    main()
