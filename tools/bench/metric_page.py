"""Tables of docs/benchmarks/metric.md, out of the splits that `metric.py` has measured."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.evaluation.metrics import bootstrap_interval

if TYPE_CHECKING:
    from pathlib import Path

SEED = 0
BASES = ("plain", "whitening")
"""What every method is compared with."""


def tables(out: Path, photos: Path) -> str:
    """All tables of all encoders in `out`."""
    parts = []
    for folder in sorted(each for each in out.iterdir() if each.is_dir()):
        splits = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
        parts += [f"## {folder.name}, {len(splits)} splits", methods_table(splits, photos, folder.name)]
        parts.append(chosen_table(splits))
        if "words" in splits[0]:
            parts.append(words_table(splits))
    return "\n\n".join(parts) + "\n"


def by_class(splits: list[dict[str, Any]]) -> tuple[dict[str, np.ndarray], list[str]]:
    """For each method the value of each class, the mean over the splits that searched it; and the classes."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for split in splits:
        for method, values in split["values"].items():
            for name, value in zip(split["classes"], values, strict=True):
                found[method][name].append(value)
    classes = sorted(found["plain"])
    return {method: np.array([np.mean(each[name]) for name in classes]) for method, each in found.items()}, classes


def methods_table(splits: list[dict[str, Any]], photos: Path, encoder: str) -> str:
    values, classes = by_class(splits)
    sets = {path.name.partition(".")[0]: set(np.load(path)["labels"]) for path in photos.glob(f"*.{encoder}.npz")}
    sets = {name: labels for name, labels in sets.items() if 2 * len(labels & set(classes)) > len(labels)}
    head = ["method", "map@10", *(f"against {base}" for base in BASES), *sets]
    lines = [row(head), row(["---"] + ["---:"] * (len(head) - 1))]
    for method, each in values.items():
        gains = ["" if method == base else difference(each - values[base]) for base in BASES]
        parts = [f"{each[[name in labels for name in classes]].mean():.3f}" for labels in sets.values()]
        lines.append(row([method, f"{each.mean():.4f}", *gains, *parts]))
    counted = f"{len(classes)} classes; pictures learned from and searched, by split: " + ", ".join(
        f"{one:,} and {other:,}" for one, other in (split["pictures"] for split in splits)
    )
    return "\n".join(lines) + f"\n\n{counted}."


def chosen_table(splits: list[dict[str, Any]]) -> str:
    lines = [row(["method", "settings chosen (splits)"]), row(["---", "---"])]
    for method in splits[0]["chosen"]:
        counted = Counter(
            ", ".join(f"{name} {split['chosen'][method][name]:g}" for name in ("shrinkage", "prior", "adapted"))
            for split in splits
        )
        lines.append(row([method, "; ".join(f"{said} ({count})" for said, count in counted.most_common(3))]))
    return "\n".join(lines)


def words_table(splits: list[dict[str, Any]]) -> str:
    """Names of classes that were not learned from, asked for; each name once a split."""
    values = {way: np.concatenate([split["words"][way] for split in splits]) for way in splits[0]["words"]}
    lines = [row(["class name -> picture", "about the pictures' mean", "about the texts' mean"]), "|---|---:|---:|"]
    for method in dict.fromkeys(way.rpartition(", ")[0] for way in values):
        one, other = values[f"{method}, as pictures"], values[f"{method}, own mean"]
        lines.append(row([method, f"{one.mean():.3f}", f"{other.mean():.3f}"]))
    return "\n".join(lines)


def difference(gains: np.ndarray) -> str:
    low, high = bootstrap_interval(gains, SEED)
    return f"{gains.mean():+.4f} ({low:+.4f} to {high:+.4f})"


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
