"""How much more varied answers are by maximal marginal relevance, and what a "more like this" gains (Rocchio).

`--packs` holds NAME.npy, uint8 (n, side, side, 3), and NAME.json with "keys", paths whose folders are the classes:
caltech_test (the half of Caltech-101 no training saw), sea (sea animals) and pacs (seven things in four styles).
Vectors are kept in `--cache`. Intervals are 95 %, by bootstrap over queries.
"""

from __future__ import annotations

import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from measuring import arguments

from lookalike.encoders.load import load_encoder
from lookalike.engine.feedback import FOR_PICTURES, FOR_WORDS, FeedbackWeights, with_feedback
from lookalike.engine.variety import POOL, diverse
from lookalike.evaluation.metrics import bootstrap_interval, judge, per_query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder

SEED = 0
K = 10
PER_CLASS = {"caltech_test": 40, "sea": 120, "pacs": 200}
BURSTS, SHOTS = 400, 4  # photos that get near-copies, and how many
PICTURES = 300  # pictures that are queries
WEIGHTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
TRIED = [
    FeedbackWeights(liked, disliked)
    for liked in (0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
    for disliked in (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
]
MARKED = ((1, 0), (3, 0), (3, 3), (0, 3))
"""Right and wrong ones of the first ten that a user marks."""
NAMES = Path(__file__).with_name("class_names.tsv")
BROAD = {
    "a musical instrument": "accordion grand_piano electric_guitar mandolin saxophone euphonium gramophone",
    "a flower": "sunflower lotus water_lilly",
    "a vehicle": "airplanes Motorbikes car_side ferry helicopter ketch schooner",
    "a bird": "emu flamingo flamingo_head ibis pigeon rooster",
    "an insect": "ant butterfly dragonfly mayfly tick",
    "a sea animal": "crab crayfish lobster octopus nautilus sea_horse starfish dolphin",
    "a wild cat": "Leopards cougar_body cougar_face wild_cat",
    "a boat": "ferry ketch schooner",
    "a dinosaur": "stegosaurus brontosaurus",
    "an electric device": "camera cellphone laptop",
    "a cartoon character": "garfield snoopy",
    "a chair": "chair windsor_chair",
    "food": "pizza strawberry",
    "a tree": "bonsai joshua_tree",
}
"""Questions that several classes of Caltech-101 answer."""


@dataclass(frozen=True)
class Asked:
    """Queries over a set: `right` (queries, pictures); `own`, the row of the picture that a query is, -1 for words."""

    vectors: Vectors
    queries: Vectors
    right: Any
    own: Any

    def scores(self, queries: Vectors) -> Any:
        found = queries @ self.vectors.T
        rows = np.flatnonzero(self.own >= 0)
        found[rows, self.own[rows]] = -np.inf
        return found

    def some(self, chosen: Any) -> Asked:
        return Asked(self.vectors, self.queries[chosen], self.right[chosen], self.own[chosen])


def vectors_of(encoder: Encoder, packs: Path, cache: Path, name: str) -> tuple[Vectors, Any, Any]:
    """Vectors, classes and rows in the pack of up to PER_CLASS pictures of each class."""
    keys = json.loads((packs / f"{name}.json").read_text())["keys"]
    labels = np.array([key.rpartition("/")[0].partition("/")[2] for key in keys])
    draw = np.random.default_rng(SEED)
    some = [
        np.sort(draw.permutation(np.flatnonzero(labels == label))[: PER_CLASS[name]]) for label in np.unique(labels)
    ]
    rows = np.concatenate(some)
    kept = cache / f"{name}-{encoder.id}.npy"
    if not kept.exists():
        pixels = np.load(packs / f"{name}.npy", mmap_mode="r")
        np.save(kept, embedded(encoder, [pixels[row] for row in rows]))
    return np.load(kept), labels[rows], rows


def embedded(encoder: Encoder, pictures: Sequence[Any]) -> Vectors:
    parts = [
        encoder.encode_images([np.array(each) for each in pictures[at : at + 64]]) for at in range(0, len(pictures), 64)
    ]
    return np.concatenate(parts)


def bursts(encoder: Encoder, packs: Path, cache: Path, rows: Any) -> tuple[Vectors, Any]:
    """Near-copies of some pictures, as a camera's bursts are: moved a little, a little darker or brighter."""
    draw = np.random.default_rng(SEED + 1)
    sources = np.repeat(draw.permutation(len(rows))[:BURSTS], SHOTS)
    kept = cache / f"bursts-{encoder.id}.npy"
    if not kept.exists():
        pixels = np.load(packs / "caltech_test.npy", mmap_mode="r")
        shots = []
        for source in sources:
            x, y = draw.integers(0, 15, 2)
            shot = pixels[rows[source]][y : y + 129, x : x + 129] * draw.uniform(0.9, 1.1)
            shots.append(np.clip(shot, 0, 255).astype(np.uint8))
        np.save(kept, embedded(encoder, shots))
    return np.load(kept), sources


def by_words(encoder: Encoder, vectors: Vectors, names: Sequence[str], right: Sequence[Any]) -> Asked:
    return Asked(vectors, encoder.encode_texts(list(names)), np.array(right), np.full(len(names), -1))


def by_pictures(vectors: Vectors, labels: Any, rows: Any) -> Asked:
    right = labels[rows][:, None] == labels
    right[np.arange(len(rows)), rows] = False
    return Asked(vectors, vectors[rows], right, np.asarray(rows))


# --- variety ---------------------------------------------------------------------------------------


def varied(asked: Asked, weight: float, photos: Any, classes: Any) -> dict[str, Any]:
    """Of the ten answers to each query: the share that is right, how many different photos and classes are right."""
    figures: dict[str, list[float]] = {"precision@10": [], "right photos": [], "right classes": []}
    for scores, right in zip(asked.scores(asked.queries), asked.right, strict=True):
        pool = np.argsort(-scores, kind="stable")[: POOL * K]
        shown = pool[diverse(asked.vectors[pool], scores[pool], K, weight)]
        good = shown[right[shown]]
        figures["precision@10"].append(len(good) / K)
        figures["right photos"].append(len(np.unique(photos[good])))
        figures["right classes"].append(len(np.unique(classes[good])))
    return {name: np.array(values, np.float64) for name, values in figures.items()}


def measure_variety(encoder: Encoder, packs: Path, cache: Path) -> dict[str, Any]:
    alone, labels, rows = vectors_of(encoder, packs, cache, "caltech_test")
    copies, sources = bursts(encoder, packs, cache, rows)
    vectors = np.concatenate([alone, copies])
    classes = np.concatenate([labels, labels[sources]])
    photos = np.concatenate([np.arange(len(alone)), sources])
    names = caltech_names()
    draw = np.random.default_rng(SEED)
    pictures = np.concatenate([sources[::SHOTS][: PICTURES // 2], draw.permutation(len(alone))[: PICTURES // 2]])
    groups = {
        "words": by_words(encoder, vectors, list(names.values()), [classes == each for each in names]),
        "broad words": by_words(
            encoder, vectors, list(BROAD), [np.isin(classes, each.split()) for each in BROAD.values()]
        ),
        "pictures": by_pictures(vectors, classes, pictures),
    }
    report: dict[str, Any] = {}
    for group, asked in groups.items():
        plain = varied(asked, 1.0, photos, classes)
        report[group] = {"queries": len(asked.queries)}
        for weight in WEIGHTS:
            found = varied(asked, weight, photos, classes)
            report[group][f"{weight:g}"] = {name: compared(found[name], plain[name]) for name in found}
    return report


def caltech_names() -> dict[str, str]:
    with NAMES.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        return {row["class"]: row["en"] for row in rows if row["set"] == "caltech101"}


def cost_ms(dim: int, k: int) -> float:
    """Median milliseconds of one call."""
    draw = np.random.default_rng(SEED)
    vectors = draw.normal(size=(POOL * k, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return median_ms(lambda: diverse(vectors, vectors @ vectors[0], k))


def median_ms(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(15):
        began = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times))


# --- feedback --------------------------------------------------------------------------------------


def after_feedback(asked: Asked, marked: tuple[int, int], weights: FeedbackWeights | None) -> Any:
    """map@10 over what was not marked, for each query where something was; None: without the feedback."""
    scores = asked.scores(asked.queries)
    first = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    queries, right, used = asked.queries.copy(), asked.right.copy(), np.zeros(len(scores), bool)
    barred = np.zeros(scores.shape, bool)
    for number, shown in enumerate(first):
        good = shown[right[number][shown]][: marked[0]]
        bad = shown[~asked.right[number][shown]][: marked[1]]
        used[number] = len(good) + len(bad) > 0
        if weights is not None and used[number]:
            queries[number] = with_feedback(queries[number], asked.vectors[good], asked.vectors[bad], weights)
        barred[number, good] = barred[number, bad] = True
    scores = asked.scores(queries)
    scores[barred], right[barred] = -np.inf, False
    values = per_query(judge(scores, right, K), f"map@{K}")
    return np.where(used, values, np.nan)


def best_weights(asked: Asked) -> FeedbackWeights:
    """Those with the best mean over all kinds of marking."""

    def worth(weights: FeedbackWeights) -> float:
        return float(np.mean([np.nanmean(after_feedback(asked, marked, weights)) for marked in MARKED]))

    return max(TRIED, key=worth)


def measure_feedback(encoder: Encoder, packs: Path, cache: Path) -> dict[str, Any]:
    words: dict[str, Asked] = {}
    pictures: dict[str, Asked] = {}
    draw = np.random.default_rng(SEED)
    for name in PER_CLASS:
        vectors, labels, _ = vectors_of(encoder, packs, cache, name)
        names = caltech_names() if name == "caltech_test" else {each: said(name, each) for each in np.unique(labels)}
        words[name] = by_words(encoder, vectors, list(names.values()), [labels == each for each in names])
        things = np.array([each.rpartition("/")[2] for each in labels]) if name == "pacs" else labels
        pictures[name] = by_pictures(vectors, things, draw.permutation(len(vectors))[:PICTURES])
    report: dict[str, Any] = {}
    for kind, sets, shipped in (("words", words, FOR_WORDS), ("pictures", pictures, FOR_PICTURES)):
        half = np.arange(len(sets["caltech_test"].queries)) % 2 == 0
        best = best_weights(sets["caltech_test"].some(half))
        report[kind] = {"best on the tuning half": vars_of(best), "shipped": vars_of(shipped)}
        tested = {**sets, "caltech_test": sets["caltech_test"].some(~half)}
        for name, asked in tested.items():
            for good, bad in MARKED:
                before, after = (after_feedback(asked, (good, bad), each) for each in (None, shipped))
                there = ~np.isnan(before)
                report[kind][f"{name}, {good} liked, {bad} disliked"] = compared(after[there], before[there])
    return report


def said(name: str, label: str) -> str:
    """What a person would type for a class: "a dog sketch", "turtle tortoise"."""
    words = label.replace("_", " ").lower().split("/")
    return f"a {words[1]} {words[0]}" if name == "pacs" else words[-1]


def vars_of(weights: FeedbackWeights) -> dict[str, float]:
    return {"liked": weights.liked, "disliked": weights.disliked}


def compared(values: Any, reference: Any) -> dict[str, Any]:
    gain = values - reference
    return {
        "queries": len(values),
        "before": float(reference.mean()),
        "after": float(values.mean()),
        "gain": float(gain.mean()),
        "interval": list(bootstrap_interval(gain, SEED)),
    }


def shown(figure: dict[str, Any]) -> str:
    low, high = figure["interval"]
    values = f"{figure['before']:.3f} -> {figure['after']:.3f}"
    return f"{values}  {figure['gain']:+.3f} ({low:+.3f} .. {high:+.3f}), {figure['queries']} queries"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--packs", type=Path, required=True, help="a folder with the packs")
    parser.add_argument("--cache", type=Path, required=True, help="where vectors are kept")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    encoder = load_encoder("builtin")
    variety = measure_variety(encoder, given.packs, given.cache)
    feedback = measure_feedback(encoder, given.packs, given.cache)
    cost = {str(k): cost_ms(encoder.dim, k) for k in (10, 100, 500)}
    for group, weights in variety.items():
        for weight, figures in weights.items():
            if weight != "queries":
                for name, each in figures.items():
                    print(f"{group:12} weight {weight:4} {name:14} {shown(each)}")
    for kind, figures in feedback.items():
        for name, each in figures.items():
            print(f"{kind:9} {name}: {shown(each) if 'gain' in each else each}")
    print("ms for the first k of 5 k candidates:", cost)
    if given.out:
        report = {"encoder": encoder.id, "variety": variety, "feedback": feedback, "cost_ms": cost}
        given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
