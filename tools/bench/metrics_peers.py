"""Metrics, intervals and tests against other people's: trec_eval, ranx, scikit-learn and SciPy on random runs.

    python -m venv peers && peers/bin/pip install ranx pytrec-eval-terrier scikit-learn
    PYTHONPATH=src peers/bin/python tools/bench/metrics_peers.py [--runs 1000] [--seed 0]

Each run is some queries with graded judgements and scores; every second one has ties, which go to the lower row here.
trec_eval breaks ties by the later name, so its items are named backwards; ranx and scikit-learn have no such rule and
get the scores with their ties broken. Two metrics differ by definition and are brought to ours before: trec_eval and
ranx divide average precision at k by all relevant items, not by min(k, all).

Prints a table, and ends with 1 where a difference is larger than `ALLOWED`.
"""

from __future__ import annotations

import argparse
import sys
import warnings

import numpy as np
import pytrec_eval
import ranx
from scipy.stats import permutation_test
from sklearn.metrics import average_precision_score, ndcg_score

from lookalike.evaluation.comparison import compare
from lookalike.evaluation.metrics import judge, per_query, top_rows

ALLOWED = 1e-9
P_ALLOWED = 0.02
"""Of the p of 10,000 throws against the exact one: four standard errors."""
DEPTHS = (1, 5, 10)
OURS = ("hit", "precision", "recall", "map", "mrr", "ndcg")
TREC = {"hit": "success_{}", "precision": "P_{}", "recall": "recall_{}", "map": "map_cut_{}", "ndcg": "ndcg_cut_{}"}
RANX = {"hit": "hit_rate@{}", "precision": "precision@{}", "recall": "recall@{}", "map": "map@{}", "mrr": "mrr@{}"}
RANX |= {"ndcg": "ndcg@{}"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of the peers
    draw = np.random.default_rng(arguments.seed)
    worst: dict[tuple[str, str], float] = {}
    queries = 0
    for number in range(arguments.runs):
        scores, gains = random_run(draw, ties=number % 2 == 1)
        queries += len(scores)
        for peer, measure in PEERS.items():
            for metric, (ours, theirs) in measure(scores, gains).items():
                difference = float(np.abs(ours - theirs).max())
                worst[metric, peer] = max(worst.get((metric, peer), 0.0), difference)
    print(f"{arguments.runs:,} runs, {queries:,} queries, half of the runs with ties; largest difference")
    for (metric, peer), difference in sorted(worst.items()):
        print(f"  {metric:<14}{peer:<14}{difference:.1e}")
    p = largest_p_difference(draw)
    print(f"  randomisation test against SciPy's exact permutations, 100 runs of 12 queries: p differs by {p:.3f}")
    return int(max(worst.values()) > ALLOWED or p > P_ALLOWED)


def random_run(draw: np.random.Generator, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Scores float32 and gains (queries, items); every query has something relevant."""
    queries, items = int(draw.integers(1, 9)), int(draw.integers(2, 60))
    scores = draw.standard_normal((queries, items)).astype(np.float32)
    if ties:
        scores = np.round(scores * 2) / 2
    gains = draw.choice([0, 0, 0, 1, 1, 2, 3], size=(queries, items))
    gains[np.arange(queries), draw.integers(items, size=queries)] = 1
    return scores, gains


def ours(scores: np.ndarray, gains: np.ndarray, metric: str) -> np.ndarray:
    return per_query(judge(scores, gains, scores.shape[1] + max(DEPTHS)), metric)


def untied(scores: np.ndarray) -> np.ndarray:
    """Scores that rank as ours do, without ties."""
    order = top_rows(scores, scores.shape[1])
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(scores.shape[1])[None], axis=1)
    return (scores.shape[1] - ranks).astype(np.float64)


def by_trec(scores: np.ndarray, gains: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    items = scores.shape[1]
    name = [f"{items - row:04d}" for row in range(items)]
    qrels = {str(q): {name[i]: int(gains[q, i]) for i in range(items)} for q in range(len(gains))}
    run = {str(q): {name[i]: float(scores[q, i]) for i in range(items)} for q in range(len(scores))}
    depths = ",".join(map(str, DEPTHS))
    wanted = {f"{form.split('_{}', maxsplit=1)[0]}.{depths}" for form in TREC.values()} | {"recip_rank", "map", "ndcg"}
    told = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)

    def theirs(measure: str) -> np.ndarray:
        return np.array([told[str(q)][measure] for q in range(len(scores))])

    relevant = (gains > 0).sum(axis=1)
    found = {}
    for k in DEPTHS:
        for metric, form in TREC.items():
            factor = relevant / np.minimum(k, relevant) if metric == "map" else 1.0
            found[f"{metric}@{k}"] = ours(scores, gains, f"{metric}@{k}"), theirs(form.format(k)) * factor
    for metric, measure in (("mrr", "recip_rank"), ("map", "map"), ("ndcg", "ndcg")):
        found[f"{metric}@all"] = ours(scores, gains, f"{metric}@{items}"), theirs(measure)
    return found


def by_ranx(scores: np.ndarray, gains: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    clear, items = untied(scores), scores.shape[1]
    qrels = ranx.Qrels(
        {str(q): {str(i): int(gains[q, i]) for i in range(items) if gains[q, i]} for q in range(len(gains))}
    )
    run = ranx.Run({str(q): {str(i): float(clear[q, i]) for i in range(items)} for q in range(len(scores))})
    relevant = (gains > 0).sum(axis=1)
    found = {}
    for k in DEPTHS:
        for metric, form in RANX.items():
            theirs = np.atleast_1d(ranx.evaluate(qrels, run, form.format(k), return_mean=False))
            factor = relevant / np.minimum(k, relevant) if metric == "map" else 1.0
            found[f"{metric}@{k}"] = ours(scores, gains, f"{metric}@{k}"), theirs * factor
    return found


def by_scikit_learn(scores: np.ndarray, gains: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    clear, queries = untied(scores), range(len(scores))
    found = {}
    for k in DEPTHS:
        theirs = [ndcg_score(gains[q : q + 1], clear[q : q + 1], k=k) for q in queries]
        found[f"ndcg@{k}"] = ours(scores, gains, f"ndcg@{k}"), np.array(theirs)
    precision = np.array([average_precision_score(gains[q] > 0, clear[q]) for q in queries])
    found["map@all"] = ours(scores, gains, f"map@{scores.shape[1]}"), precision
    return found


def largest_p_difference(draw: np.random.Generator) -> float:
    worst = 0.0
    for number in range(100):
        before = draw.random(12)
        after = before + draw.normal(0.1, 0.3, 12)
        exact = permutation_test(
            (after, before), lambda one, other: (one - other).mean(), permutation_type="samples", n_resamples=np.inf
        )
        worst = max(worst, abs(compare(before, after, seed=number).p - exact.pvalue))
    return worst


PEERS = {"trec_eval": by_trec, "ranx": by_ranx, "scikit-learn": by_scikit_learn}

if __name__ == "__main__":
    sys.exit(main())
