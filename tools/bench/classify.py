"""How often `lookalike classify` is right, with few and many labelled pictures, and by how many neighbours.

    python tools/bench/classify.py FOLDER_OR_CSV ... [--images DIR] [--each N] [--encoder NAME] [--out FILE]

Each argument is labelled pictures, as `lookalike classify --labels` takes them. Of each, N pictures are taken evenly;
labels with fewer than four are left out. Folds are by groups of copies, as the command makes them; in each fold only so
many pictures of each label are known. Prints the tables of docs/benchmarks/classify.md.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.encoders.load import load_encoder
from lookalike.evaluation import classify
from lookalike.evaluation.embedding import embed_names, embed_pictures
from lookalike.evaluation.judgements import read_labels
from lookalike.evaluation.metrics import bootstrap_interval
from lookalike.training.material import COPY_COSINE
from lookalike.training.splits import duplicate_groups, split_by_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.core.protocols import Encoder
    from lookalike.evaluation.classify import Labelled

KNOWN = (2, 5, 10, 1000)
"""Labelled pictures of each label that may be asked; the last means all."""
NEIGHBOURS = (1, 5, 10, 20, 50)
FOLDS, LEAST_PICTURES, SURE = 5, 4, 0.8


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("labels", nargs="+", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--each", type=int, default=1600)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    encoder = load_encoder(asked.encoder)
    figures = {str(place.name): _measured(_known(encoder, place, asked.images, asked.each)) for place in asked.labels}
    if asked.out:
        asked.out.write_text(json.dumps({"encoder": encoder.id, "sets": figures}, indent=1) + "\n", encoding="utf-8")
    for name, rows in figures.items():
        print(f"\n{name}: {rows['pictures']:,} pictures, {rows['labels']} labels\n")
        print("| known of each | " + " | ".join(classify.METHODS) + " | answered at .8 | right of these |")
        for count, row in rows["by known"].items():
            cells = [f"{100 * row[each]['right']:.1f} ({_span(row[each]['interval'])})" for each in classify.METHODS]
            print(
                f"| {count} | " + " | ".join([*cells, *(f"{100 * row[key]:.1f}" for key in ("share", "sure"))]) + " |"
            )
        print("| neighbours | " + " | ".join(map(str, NEIGHBOURS)) + " |")
        for count, row in rows["by neighbours"].items():
            print(f"| {count} | " + " | ".join(f"{100 * right:.1f}" for right in row.values()) + " |")


def _span(interval: list[float]) -> str:
    return " to ".join(f"{100 * end:.1f}" for end in interval)


def _known(encoder: Encoder, place: Path, images: Path | None, count: int) -> Labelled:
    pictures = read_labels(place, images).pictures
    chosen = [pictures[round(at)] for at in np.linspace(0, len(pictures) - 1, min(count, len(pictures)))]
    embedded = embed_pictures(encoder, chosen)
    labels = np.array([picture.sayings[0] for picture in embedded.pictures])
    names, numbers, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    kept = sizes[numbers] >= LEAST_PICTURES
    names = [str(name) for name in names[sizes >= LEAST_PICTURES]]
    belongs = labels[kept, None] == np.array(names)
    return classify.Labelled(embedded.vectors[kept], tuple(names), belongs, embed_names(encoder, names))


def _measured(known: Labelled) -> dict[str, Any]:
    truth = known.belongs.argmax(axis=1)
    groups = duplicate_groups(known.vectors, COPY_COSINE)
    folds = split_by_group(groups, truth, (1 / FOLDS,) * FOLDS)
    rows: dict[str, Any] = {"pictures": len(truth), "labels": len(known.labels), "by known": {}, "by neighbours": {}}
    for count in KNOWN:
        asked = "all" if count == KNOWN[-1] else count
        found = {method: _with_few(known, truth, folds, count, method) for method in classify.METHODS}
        right, chances = found["both"]
        rows["by known"][asked] = {
            method: {"right": float(each.mean()), "interval": list(bootstrap_interval(each.astype(float), 0))}
            for method, (each, _) in found.items()
        } | {
            "share": float((chances >= SURE).mean()),
            "sure": float(right[chances >= SURE].sum() / max(1, sum(chances >= SURE))),
        }
        usual, rows["by neighbours"][asked] = classify.NEIGHBOURS, {}
        for number in NEIGHBOURS:
            classify.NEIGHBOURS = number
            rows["by neighbours"][asked][number] = float(_with_few(known, truth, folds, count, "neighbours")[0].mean())
        classify.NEIGHBOURS = usual
    return rows


def _with_few(
    known: Labelled, truth: NDArray[Any], folds: NDArray[Any], count: int, method: Any
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Whether each held-out picture is right, and how sure; trust is fitted as the command fits it, on the known."""
    right, chances = np.zeros(len(truth), dtype=bool), np.zeros(len(truth))
    random = np.random.default_rng(0)
    for fold in np.unique(folds):
        rest = np.flatnonzero(folds != fold)
        few = np.concatenate([random.permutation(rest[truth[rest] == label])[:count] for label in np.unique(truth)])
        part = known.part(few)
        trust = classify.cross_validate(part, folds[few], method).trust
        held = folds == fold
        answers, chances[held] = classify.classify(part, known.vectors[held], method, trust)
        right[held] = answers == truth[held]
    return right, chances


if __name__ == "__main__":
    main()
