"""Metric learning on classes that it has not seen: how much better pictures find their like.

    python tools/bench/metric.py --photos DIR --encoder builtin --out DIR
    python tools/bench/metric.py --photos DIR --out DIR --tables
    python tools/bench/metric.py --photos DIR --out OTHER --encoder builtin --sets fashion

`--photos` is what `metric_photos.py` wrote. Classes of Caltech-101, PACS and the clothing set are dealt into halves,
`REPEATS` times; names that begin alike (cougar_body, cougar_face) stay together. Each half is learned from once and
searched once. Settings are chosen on classes held out of the half that is learned from (`training.metric_choice`).
What is searched are all pictures of the other half's classes together; a picture's right answers are those of its
class. Figures are map@10, each class counted once; intervals are 95 %, by bootstrap over classes.

Done splits are kept in OUT/ENCODER/, so that a run that was stopped goes on.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import metric_page
import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.encoders.derived import Projection
from lookalike.encoders.load import load_encoder
from lookalike.evaluation.metrics import judge, per_query, top_rows
from lookalike.training.metric import METHODS, Learned, Metric, learn, measure
from lookalike.training.metric_choice import (
    best,
    candidates_of,
    class_folds,
    class_values,
    few_of_each,
    measure_clusters,
    try_on_new_classes,
)
from lookalike.training.proxy_losses import ProxySettings, train_projection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors

SETS = ("caltech", "pacs", "clothing")
REPEATS = 2
WIDEST = 512
"""Wider vectors are turned to this many principal axes of the half that is learned from, as KISSME's authors do."""
RESCORED = 100
"""Of the best by cosine, how many the exact score orders again."""
ADAPTED = (0.3, 0.6, 1.0)
UNLABELLED_SHRINKAGE = 0.3
"""Without labels there is nothing to choose it by: the middle of what is tried with them."""
RATES = (3e-4, 1e-3, 3e-3)
PROXIES = ("proxy-anchor", "softmax")


def read(photos: Path, encoder: str, sets: Sequence[str] = SETS) -> tuple[Vectors, NDArray[np.int64], list[str]]:
    """Vectors (n, d), the class of each, and the names of the classes."""
    parts = [np.load(photos / f"{name}.{encoder}.npz") for name in sets]
    names, labels = np.unique(np.concatenate([part["labels"] for part in parts]), return_inverse=True)
    return np.concatenate([part["vectors"] for part in parts]), labels.astype(np.int64), names.tolist()


def halves(names: list[str], repeat: int) -> NDArray[np.bool_]:
    """For each class whether it is in the second half."""
    beginnings = sorted({name.partition("_")[0] for name in names})
    second = set(np.random.default_rng(repeat).permutation(beginnings)[::2].tolist())
    return np.array([name.partition("_")[0] in second for name in names])


class Split:
    """One half learned from, the other one searched. `values`: map@10 of each class searched, by method."""

    def __init__(self, vectors: Vectors, labels: NDArray[np.int64], learned: NDArray[np.bool_], seed: int) -> None:
        self.seed = seed
        self.labels, self.searched_labels = labels[learned], labels[~learned]
        self.values: dict[str, NDArray[np.float64]] = {"plain": class_values(vectors[~learned], labels[~learned])}
        self.turn = _turn(vectors[learned])
        self.vectors, self.searched = self.turn(vectors[learned]), self.turn(vectors[~learned])
        self.statistics = measure(self.vectors, self.labels)
        self.clusters = measure_clusters(self.searched, self.statistics, seed=seed)
        self._figures: dict[str, dict[Metric, float]] = {}
        self.chosen: dict[str, Metric] = {}
        self.projections: dict[str, Projection] = {}

    def run(self) -> None:
        for method in METHODS[1:]:
            learned = self._learned(method, candidates_of(method))
            self._rescore(method, learned)
        for method in ("wccn", "glrt", "glrt-joint"):
            own = best(self._figures[method])
            tried = [replace(own, adapted=share) for share in ADAPTED]
            self._rescore(f"{method}, adapted", self._learned(f"{method}, adapted", [own, *tried]))
            whole = [replace(each, adapted=1.0) for each in candidates_of(method)]
            self._learned(f"{method}, clusters alone", whole)
        alone = measure_clusters(self.searched, seed=self.seed)
        self._search("glrt, no labels", learn(alone, Metric("glrt", UNLABELLED_SHRINKAGE, 0.0)).projection)
        self._search("whitening, no labels", learn(alone, Metric("whitening", UNLABELLED_SHRINKAGE)).projection)
        for loss in PROXIES:
            self._proxies(loss)

    def _learned(self, name: str, candidates: Any) -> Learned:
        """Choose among the candidates, learn, search."""
        self._figures[name] = try_on_new_classes(self.vectors, self.labels, candidates, seed=self.seed)
        self.chosen[name] = best(self._figures[name])
        learned = learn(self.statistics, self.chosen[name], self.clusters)
        self._search(name, learned.projection)
        return learned

    def _search(self, name: str, projection: Projection) -> None:
        self.projections[name] = projection
        self.values[name] = class_values(projection(self.searched), self.searched_labels)

    def _rescore(self, name: str, learned: Learned) -> None:
        """The best by cosine, ordered again by the exact score."""
        if learned.exact is None:
            return
        rows = np.arange(len(self.searched))
        projected = learned.projection(self.searched)
        cosines = projected @ projected.T
        np.fill_diagonal(cosines, -np.inf)
        exact = np.full_like(cosines, -np.inf)
        short = top_rows(cosines, RESCORED)
        np.put_along_axis(exact, short, np.take_along_axis(learned.exact(self.searched, self.searched), short, 1), 1)
        judged = judge(exact, self.searched_labels[:, None] == self.searched_labels, 10, own=rows)
        values = per_query(judged, "map@10")
        classes = np.unique(self.searched_labels)
        self.values[f"{name}, exact"] = np.array([values[self.searched_labels == each].mean() for each in classes])

    def _proxies(self, loss: Any) -> None:
        """Proxy losses; when to stop is chosen on a half of the classes, as the other settings are."""
        held = next(class_folds(self.labels, 2, self.seed))
        asked = few_of_each(np.where(held, self.labels, -1), 25, self.seed)
        start = Projection(np.eye(self.vectors.shape[1], dtype=np.float32))

        def judged(projection: Projection) -> float:
            return float(class_values(projection(self.vectors[asked]), self.labels[asked]).mean())

        tried = [
            train_projection(self.vectors[~held], self.labels[~held], start, ProxySettings(loss, lr=rate), judged)
            for rate in RATES
        ]
        self._search(loss, max(tried, key=lambda each: max(each[1]))[0])


def _turn(vectors: Vectors) -> Any:
    """The first WIDEST principal axes of these vectors, for vectors that are wider; cosines stay nearly the same."""
    if vectors.shape[1] <= WIDEST:
        return lambda some: some
    _, axes = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
    kept = axes[:, -WIDEST:].astype(np.float32)
    return lambda some: unit_vectors(some @ kept)


def words(split: Split, asked: Vectors, known: Vectors, classes: NDArray[np.int64]) -> dict[str, list[float]]:
    """map@10 of class name -> picture, each name: with the projection as it is, and about the mean of `known` texts."""
    right = classes[:, None] == split.searched_labels
    found = {}
    for name, projection in {"plain": Projection(np.eye(asked.shape[1])), **split.projections}.items():
        pictures = projection(split.searched)
        own = projection
        if projection.bias is not None:
            own = Projection(projection.matrix, -known.mean(axis=0) @ projection.matrix)
        for way, texts in (("as pictures", projection(asked)), ("own mean", own(asked))):
            values = per_query(judge(texts @ pictures.T, right, 10), "map@10")
            found[f"{name}, {way}"] = values.tolist()
    return found


def run(photos: Path, encoder: str, sets: Sequence[str], out: Path, repeats: int) -> None:
    vectors, labels, names = read(photos, encoder, sets)
    out.mkdir(parents=True, exist_ok=True)
    loaded = load_encoder() if encoder == "builtin" else None
    texts = loaded.encode_texts([name.replace("_", " ") for name in names]) if loaded else None
    for repeat in range(repeats):
        second = halves(names, repeat)
        for number, half in enumerate((second, ~second)):
            target = out / f"{repeat}-{number}.json"
            if target.exists():
                continue
            split = Split(vectors, labels, half[labels], seed=repeat)
            split.run()
            classes = np.unique(split.searched_labels)
            done: dict[str, Any] = {
                "classes": [names[each] for each in classes],
                "values": {name: values.tolist() for name, values in split.values.items()},
                "chosen": {name: asdict(metric) for name, metric in split.chosen.items()},
                "pictures": [len(split.labels), len(split.searched_labels)],
            }
            if texts is not None:
                done["words"] = words(split, texts[classes], texts[np.flatnonzero(half)], classes)
            target.write_text(json.dumps(done), encoding="utf-8")
            means = {name: round(float(values.mean()), 4) for name, values in split.values.items()}
            print(encoder, repeat, number, means, flush=True)


def later(photos: Path, encoder: str, out: Path) -> None:
    """Do metrics adapted to a collection serve pictures that come later? Half of what is searched is kept from them.

    Every picture kept is searched among those kept; settings are those chosen before.
    """
    vectors, labels, names = read(photos, encoder)
    gains: dict[str, list[NDArray[np.float64]]] = {}
    for path in sorted(out.glob("*.json")):
        repeat, number = map(int, path.stem.split("-"))
        half = halves(names, repeat)[labels]
        learned = ~half if number else half
        turn = _turn(vectors[learned])
        known = measure(turn(vectors[learned]), labels[learned])
        searched = np.flatnonzero(~learned)
        kept = np.random.default_rng(repeat).permutation(searched)[: len(searched) // 2]
        chosen = json.loads(path.read_text(encoding="utf-8"))["chosen"]
        values = {"plain": class_values(vectors[kept], labels[kept])}
        for way, rows in (("it saw", kept), ("come later", np.setdiff1d(searched, kept))):
            clusters = measure_clusters(turn(vectors[rows]), known, seed=repeat)
            projection = learn(known, Metric(**chosen["glrt, adapted"]), clusters).projection
            values[f"glrt, adapted: pictures {way}"] = class_values(projection(turn(vectors[kept])), labels[kept])
        for name, each in values.items():
            gains.setdefault(name, []).append(each - values["plain"])
    for name, parts in gains.items():
        print(encoder, name, metric_page.difference(np.concatenate(parts)))


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--encoder", help="as metric_photos.py called it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--tables", action="store_true", help="print the tables of all encoders measured in OUT")
    parser.add_argument("--later", action="store_true", help="measure pictures that come after the metric")
    asked = parser.parse_args()
    if asked.later:
        later(asked.photos, asked.encoder, asked.out / asked.encoder)
    elif asked.tables:
        print(metric_page.tables(asked.out, asked.photos), end="")
    else:
        run(asked.photos, asked.encoder, asked.sets, asked.out / asked.encoder, asked.repeats)


if __name__ == "__main__":
    main()
