"""Measured values as parts of a report: figures with intervals, one encoder against another, where right answers stand.

For whoever reports what `evaluate_vectors` measured: `lookalike evaluate`, and every recipe of a training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.evaluation.chart import Axis, Line
from lookalike.evaluation.comparison import compare
from lookalike.evaluation.measured import COSINES
from lookalike.evaluation.report import Estimate, Intervals, Plot, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookalike.evaluation.comparison import Difference
    from lookalike.evaluation.measured import Measured

REACHED = 0.9995
"""A ceiling from here on is 100.0 %, and not worth saying."""
HEADLINES = ("map@10", "ndcg@10", "mrr@10", "hit@10")
"""The figure that a sentence tells and questions are sorted by: the first of these that was measured, else any."""
_RANKS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)


def shown(name: str, value: float) -> str:
    """A figure for a person: a cosine as it is, anything else in per cent."""
    return f"{value:.3f}" if name in COSINES else f"{100 * value:.1f} %"


def shown_difference(name: str, value: float) -> str:
    """A difference with its sign: of cosines as it is, of anything else in points of per cent."""
    text = f"{value:+.3f}" if name in COSINES else f"{100 * value:+.1f}"
    return text if text.strip("+-0.") else text[1:]  # what rounds to nothing has no sign


def shown_p(p: float) -> str:
    """A p of the randomisation test, to the digits it is known by."""
    return f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def headline(measured: Measured) -> str:
    """Which metric tells the story."""
    return next((metric for metric in HEADLINES if metric in measured.values), next(iter(measured.values)))


def verdict(before_name: str, before: Measured, after_name: str, after: Measured, seed: int = 0) -> str:
    """Whether the second encoder finds better than the first, in a sentence, by the headline metric."""
    metric = headline(after)
    each = compare(before.values[metric], after.values[metric], seed)
    direction = "better" if each.mean > 0 else "worse"
    found = f"finds {direction} than" if each.sure else "is not surely better or worse than"
    between = f"{shown_difference(metric, each.low)} and {shown_difference(metric, each.high)}"
    return (
        f"{after_name} {found} {before_name}: {metric} {shown_difference(metric, each.mean)} points, "
        f"95 % between {between}, p {shown_p(each.p)}."
    )


def figures_table(measured: Mapping[str, Measured], seed: int = 0) -> Table:
    """Every figure of every encoder, by its name, with its interval; and the best possible one where it is below 1."""
    some = next(iter(measured.values()))
    means = {name: each.means() or {} for name, each in measured.items()}
    intervals = {name: each.intervals(seed) or {} for name, each in measured.items()}
    rows = []
    for metric in some.means() or {}:
        cells = []
        for name in measured:
            low, high = intervals[name][metric]
            cells += [shown(metric, means[name][metric]), f"{_bare(metric, low)} to {_bare(metric, high)}"]
        ceiling = some.ceilings.get(metric, 1.0)
        rows.append((metric, *cells, shown(metric, ceiling) if ceiling < REACHED else ""))
    header = ("", *(cell for name in measured for cell in (name, "95 % between")), "at best")
    return Table(
        header, tuple(rows), note="At best: what the best possible order would reach. Cosines are not per cent."
    )


def comparison_table(
    before_name: str, before: Measured, after_name: str, after: Measured, seed: int = 0, *, title: str = ""
) -> Table:
    """One encoder against another on the same queries: figures, difference, interval, p, and queries won and lost."""
    differences = after.against(before, seed)
    old, new = before.means() or {}, after.means() or {}
    rows = [
        (
            metric,
            shown(metric, old[metric]),
            shown(metric, new[metric]),
            *_difference_cells(metric, each),
            f"{each.better} / {each.equal} / {each.worse}",
        )
        for metric, each in differences.items()
    ]
    sure = frozenset(number for number, each in enumerate(differences.values()) if each.sure)
    header = ("", before_name, after_name, "difference", "95 % between", "p", "better / equal / worse")
    note = (
        f"Question by question over {after.queries:,} questions; p: how often chance alone gives a difference as large "
        "(randomisation test). Bold: an interval without 0 and a p below 0.05."
    )
    return Table(header, tuple(rows), title or f"{after_name} against {before_name}", note, marked=sure)


def _difference_cells(metric: str, each: Difference) -> tuple[str, str, str]:
    between = f"{shown_difference(metric, each.low)} to {shown_difference(metric, each.high)}"
    return shown_difference(metric, each.mean), between, shown_p(each.p)


def intervals_plot(measured: Mapping[str, Measured], seed: int = 0) -> Intervals:
    """The same figures as dots with whiskers, encoder below encoder; cosines are left out."""
    some = next(iter(measured.values()))
    intervals = {name: each.intervals(seed) or {} for name, each in measured.items()}
    estimates = []
    for metric in some.values:
        for name, each in measured.items():
            if metric not in COSINES:
                mean = 100 * float(each.values[metric].mean())
                low, high = (100 * end for end in intervals[name][metric])
                label = f"{metric}  {name}" if len(measured) > 1 else metric
                estimates.append(Estimate(label, mean, low, high, name))
    return Intervals("Figures and their intervals", tuple(estimates), "per cent")


def found_plot(measured: Mapping[str, Measured], items: int) -> Plot:
    """How many of the questions have a right answer among the first k of `items`, for every k."""
    ranks = [k for k in _RANKS if k < items] + [items]
    lines = tuple(
        Line(name, tuple((float(k), 100 * float((each.first <= k).mean())) for k in ranks))
        for name, each in measured.items()
    )
    return Plot(
        "How far one has to look for something right",
        lines,
        Axis("answers looked at", scale="log"),
        Axis("questions with a right one among them, %"),
    )


def _bare(metric: str, value: float) -> str:
    return shown(metric, value).removesuffix(" %")
