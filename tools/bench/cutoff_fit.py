"""Fitting relevance, and the figures of a cut-off: what is kept of what is there, what is shown of what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.engine.relevance import Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutoff_cases import Case
    from numpy.typing import NDArray

STEPS = 40
RIDGE = 1e-3
SAME = 1e-6  # spread of a fact that is the same for all
RESAMPLES = 1000
Value = "Callable[[Case], NDArray[np.float64]]"


def fit(cases: Sequence[Case]) -> Weights:
    """A logistic regression of rightness on the facts, by Newton's method.

    Every question counts alike, however many of its answers somebody knows of; present and absent ones together count
    alike.
    """
    facts, right, weight = [], [], []
    there = sum(case.state == "present" for case in cases) / len(cases)
    for case in cases:
        known = np.isfinite(case.right)
        facts.append(case.facts[known])
        right.append(case.right[known])
        share = there if case.state == "present" else 1 - there
        weight.append(np.full(known.sum(), 1 / (max(known.sum(), 1) * share)))
    x, y, w = np.concatenate(facts), np.concatenate(right), np.concatenate(weight)
    w /= w.sum()
    told = np.isfinite(x).any(axis=0)
    means, spreads = np.zeros(x.shape[1]), np.ones(x.shape[1])
    means[told], spreads[told] = np.nanmean(x[:, told], axis=0), np.nanstd(x[:, told], axis=0)
    spreads[spreads < SAME] = 1
    z = np.column_stack([np.nan_to_num((x - means) / spreads), np.ones(len(x))])
    ridge = np.diag([RIDGE] * (z.shape[1] - 1) + [0.0])
    beta = np.zeros(z.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-z @ beta))
        slope = z.T @ (w * (chance - y)) + ridge @ beta
        beta -= np.linalg.solve((z * (w * chance * (1 - chance))[:, None]).T @ z + ridge, slope)
    rounded = [tuple(np.round(each, 5).tolist()) for each in (means, spreads, beta[:-1])]
    return Weights(rounded[0], rounded[1], rounded[2], round(float(beta[-1]), 5))


def chances(case: Case, weights: Weights) -> NDArray[np.float64]:
    """What `engine.relevance.relevance` gives, from facts that are known already."""
    standard = np.nan_to_num((case.facts - np.array(weights.means)) / np.array(weights.spreads))
    chance = 1 / (1 + np.exp(-(standard @ np.array(weights.weights) + weights.bias)))
    return np.minimum.accumulate(chance)


def kept(cases: Sequence[Case], value: Value) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The best value of a right answer, of each question that has one among its answers; and what was asked."""
    with_right = [case for case in cases if case.state == "present" and (case.right == 1).any()]
    best = [value(case)[case.right == 1].max() for case in with_right]
    return np.array(best), np.array([case.asked for case in with_right])


def shown(cases: Sequence[Case], value: Value, state: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The best value of all answers, of each question in that state; and what was asked."""
    these = [case for case in cases if case.state == state]
    return np.array([value(case).max() for case in these]), np.array([case.asked for case in these])


def share(values: NDArray[np.bool_], asked: NDArray[np.int64]) -> tuple[float, float, float]:
    """A share with its 95 % interval, by bootstrap over what was asked: questions for one class stand together."""
    if not len(values):
        return (float("nan"),) * 3
    groups, place = np.unique(asked, return_inverse=True)
    hits, counts = np.bincount(place, values), np.bincount(place)
    drawn = np.random.default_rng(0).integers(0, len(groups), (RESAMPLES, len(groups)))
    shares = hits[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(shares, (2.5, 97.5))
    return float(values.mean()), float(low), float(high)


def threshold(cases: Sequence[Case], value: Value, keep: float) -> float:
    """The value that keeps a right answer for a share `keep` of the questions that have one."""
    return float(np.quantile(kept(cases, value)[0], 1 - keep))


def separation(cases: Sequence[Case], value: Value) -> float:
    """The chance that a question with a right answer has a better value than one for something absent (AUC)."""
    there, gone = kept(cases, value)[0], np.sort(shown(cases, value, "absent")[0])
    return float(np.searchsorted(gone, there).mean() / max(len(gone), 1))
