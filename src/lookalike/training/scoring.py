"""How good an exported encoder is, on photos that no training set has: the figures of the model card.

This reads packed photos and words, so it needs no files and takes seconds; `lookalike evaluate` measures the same from
the photos themselves. Metrics and intervals are those of `evaluation.metrics`. A class is asked for by its bare
folder name, "_" read as a space, as `lookalike evaluate` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.evaluation.metrics import bootstrap_interval, judge, per_query
from lookalike.training.pack import PackList, pixels_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.training.words import Words

_PICTURES_AT_ONCE = 64
_QUERIES_AT_ONCE = 500
_HITS = ("hit@1", "hit@5", "hit@10")
_PRECISION = ("precision@10",)


def score_captions(encoder: Encoder, packs: Path, words: Words, name: str, *, seed: int = 0) -> dict[str, Any]:
    """Caption -> picture on a captioned pack: mean and 95 % interval of hit@1, hit@5, hit@10."""
    pictures = _embed(encoder, pixels_of(packs, name))
    captions = words.captions[name]
    own = np.repeat(np.arange(len(captions)), [len(each) for each in captions])
    queries = encoder.encode_texts([words.texts[number] for each in captions for number in each])
    return _measure(queries, pictures, own[:, None] == np.arange(len(pictures)), _HITS, seed=seed)


def score_labels(encoder: Encoder, packs: Path, name: str, *, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Class name -> picture and picture -> picture on a labelled pack: precision@10 with its interval."""
    pictures = _embed(encoder, pixels_of(packs, name))
    labels = np.array(PackList.read(packs, name).labels)
    classes = sorted(set(labels.tolist()))
    names = encoder.encode_texts([label.replace("_", " ") for label in classes])
    same = labels[:, None] == labels
    return {
        "name": _measure(names, pictures, np.array(classes)[:, None] == labels, _PRECISION, seed=seed),
        "picture": _measure(pictures, pictures, same, _PRECISION, seed=seed, own=np.arange(len(pictures))),
    }


def _embed(encoder: Encoder, pictures: NDArray[np.uint8]) -> Vectors:
    starts = range(0, len(pictures), _PICTURES_AT_ONCE)
    return np.concatenate([encoder.encode_images(list(pictures[at : at + _PICTURES_AT_ONCE])) for at in starts])


def _measure(
    queries: Vectors,
    pictures: Vectors,
    right: NDArray[np.bool_],
    metrics: Sequence[str],
    *,
    seed: int,
    own: NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """{metric: {"mean", "interval"}} of ranking all `pictures` for every query. `own`: each query's own picture."""
    values: dict[str, list[NDArray[np.float64]]] = {metric: [] for metric in metrics}
    for at in range(0, len(queries), _QUERIES_AT_ONCE):
        rows = slice(at, at + _QUERIES_AT_ONCE)
        scores = queries[rows] @ pictures.T
        judged = judge(scores, right[rows], 10, own=None if own is None else own[rows])
        for metric in metrics:
            values[metric].append(per_query(judged, metric))
    joined = {metric: np.concatenate(parts) for metric, parts in values.items()}
    return {
        metric: {"mean": float(each.mean()), "interval": list(bootstrap_interval(each, seed))}
        for metric, each in joined.items()
    }
