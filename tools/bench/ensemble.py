"""An ensemble against its parts, on classes that its weights have not seen (docs/benchmarks/ensemble.md).

    python tools/bench/ensemble.py --vectors DIR --encoders builtin teacher imagenette

`--vectors`: what `metric_photos.py` wrote for each encoder. Classes of Caltech-101, PACS and the clothing set are drawn
into two halves, as often as there are `--seeds`: weights are learned on one (`lookalike tune-encoder --recipe ensemble`
does the same), `map@10` picture -> picture is measured on the other, of all three sets in one pool; then the other way
round. Intervals are 95 %, by drawing classes again, over both halves.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from held_out_classes import SETS, asked_classes, by_classes, materials_of

from lookalike.training import measuring
from lookalike.training.ensembling import METRIC, joined, learn_weights, picture_questions
from lookalike.training.splits import TEST, TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.training.material import Material

SHARES = (0.0, 0.5, 0.5)
QUESTIONS = 500  # of the classes that weights are learned on


def learned(materials: Sequence[Material]) -> list[float]:
    """Weights by VALIDATION, as the recipe learns them."""
    asked = picture_questions(materials, VALIDATION, QUESTIONS)
    assert asked is not None, "all photos have labels"
    return list(learn_weights(asked)[0])


def best_part(materials: Sequence[Material]) -> int:
    """The one that is the best alone on VALIDATION."""
    alone = [measuring.by_pictures(each, VALIDATION, each.whole()).values[METRIC].mean() for each in materials]
    return int(np.argmax(alone))


def measure(materials: tuple[Material, ...]) -> dict[str, Any]:
    """Weights learned on each half and what they bring on the other."""
    swap = np.array([TRAIN, TEST, VALIDATION], np.uint8)
    turned = tuple(replace(each, split=swap[each.split]) for each in materials)
    halves = [_half(materials), _half(turned)]
    values = {way: np.concatenate([each[0][way] for each in halves]) for way in halves[0][0]}
    classes = np.concatenate([each[1] for each in halves])
    best = values["best part"]
    return {
        "weights": [each[2] for each in halves],
        "questions": len(classes),
        "classes": len(np.unique(classes)),
        "map@10": {way: _figure(each, classes) for way, each in values.items()},
        "more than the best part": {way: _figure(each - best, classes) for way, each in values.items()},
        "scores more than ranks": _figure(values["weights learned"] - values["ranks, weights learned"], classes),
    }


def _half(materials: tuple[Material, ...]) -> tuple[dict[str, np.ndarray], np.ndarray, list[float]]:
    """METRIC of each question of TEST by each way to search, the classes of the questions, the weights."""
    weights = learned(materials)
    parts = len(materials)
    ways = {each.base_id: np.eye(parts)[at].tolist() for at, each in enumerate(materials)}
    ways["best part"] = np.eye(parts)[best_part(materials)].tolist()
    ways |= {"equal weights": [1 / parts] * parts, "weights learned": weights}
    for left_out in range(parts if parts > 2 else 0):
        others = [each for at, each in enumerate(materials) if at != left_out]
        ways[f"without {materials[left_out].base_id}"] = np.insert(learned(others), left_out, 0.0).tolist()
    measured = {
        way: measuring.by_pictures(materials[0], TEST, joined(materials, mixture)[0]) for way, mixture in ways.items()
    }
    values = {way: each.values[METRIC] for way, each in measured.items()}
    asked = picture_questions(materials, TEST)
    assert asked is not None, "all photos have labels"
    values["ranks, equal weights"] = asked.by_ranks(ways["equal weights"])
    values["ranks, weights learned"] = asked.by_ranks(weights)
    return values, asked_classes(materials[0], TEST, measured["weights learned"]), weights


def _figure(values: np.ndarray, classes: np.ndarray) -> list[float]:
    """Mean, and the ends of its interval."""
    return [round(float(each), 4) for each in (values.mean(), *by_classes(values, classes))]


def transfer(vectors: Path, encoders: Sequence[str], seed: int) -> dict[str, Any]:
    """The weights of the pool, measured in each set alone."""
    pooled = materials_of(vectors, encoders, shares=SHARES, seed=seed)
    weights = learned(pooled)
    found: dict[str, Any] = {}
    for name in SETS:
        materials = materials_of(vectors, encoders, shares=SHARES, seed=seed, sets=[name])
        parts = np.eye(len(encoders)).tolist()
        alone = [measuring.by_pictures(materials[0], TEST, joined(materials, each)[0]) for each in parts]
        mixed = measuring.by_pictures(materials[0], TEST, joined(materials, weights)[0])
        classes = asked_classes(materials[0], TEST, mixed)
        best = alone[best_part(materials)].values[METRIC]
        found[name] = {
            each: round(float(one.values[METRIC].mean()), 4) for each, one in zip(encoders, alone, strict=True)
        }
        found[name] |= {"ensemble": round(float(mixed.values[METRIC].mean()), 4)}
        found[name] |= {"more than the best part": _figure(mixed.values[METRIC] - best, classes)}
    return found


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--encoders", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found: dict[str, Any] = {"splits": []}
    for seed in range(asked.seeds):
        found["splits"].append(measure(materials_of(asked.vectors, asked.encoders, shares=SHARES, seed=seed)))
        print(json.dumps(found["splits"][-1]), flush=True)
    found["sets"] = transfer(asked.vectors, asked.encoders, 0)
    print(json.dumps(found["sets"]))
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
