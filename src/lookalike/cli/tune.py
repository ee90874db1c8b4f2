"""`lookalike tune`: find the index that suits a collection by building and measuring candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.numbers import any_number
from lookalike.cli.options import collection_option, command, device_option, json_option, output_file
from lookalike.cli.trying import kinds_option, megabytes, memory_option, milliseconds, stop_telling, teller

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.engine.tuning_report import Tried, TuneReport

HEADER = ("index", "layout", "search", "recall", "words", "ms", "p95", "MB", "build")
MINUTES = 20.0
"""After which nothing new is begun."""
_LEAST_SHOWN = 0.5
"""Recall from which the chart shows a curve: what lies below is of no use to anybody."""


@command
@click.argument("where", metavar="[COLLECTION]", required=False)
@click.option(
    "--target-recall",
    type=any_number(0, 1, above=True),
    default=0.95,
    show_default=True,
    help="Share of the right ten answers that the index has to find, for pictures and for words.",
)
@click.option(
    "--budget-ms",
    type=any_number(0, above=True),
    metavar="MS",
    help="What 95 of 100 searches may take: the smallest index within it wins.  [default: the fastest wins]",
)
@memory_option("What the index may hold, like 2GB.  [default: a quarter of the machine's]")
@kinds_option("Try only these, separated by commas, and take one of them.")
@click.option(
    "--minutes",
    type=any_number(0, above=True),
    default=MINUTES,
    show_default=True,
    help="After so long take the best so far.",
)
@click.option("--plot", metavar="FILE", help="Draw recall against latency of every candidate, as PNG.")
@device_option
@collection_option
@json_option
def tune(
    *,
    where: str | None,
    target_recall: float,
    budget_ms: float | None,
    memory: int | None,
    kinds: tuple[str, ...] | None,
    minutes: float,
    plot: str | None,
    device: str,
    collection: str | None,
    as_json: bool,
) -> None:
    """Find the index that suits the collection best, by measuring.

    Builds every kind of index that fits the memory, asks it pictures of the collection and captions, and varies the
    layout of the best ones. The winner serves searches from then on, and later builds follow it. Ctrl-C leaves the
    collection as it was.
    """
    from lookalike.cli.opening import open_collection
    from lookalike.engine.tuning import tune as find_best
    from lookalike.engine.tuning_report import Aim

    if where is not None and collection is not None:
        raise click.UsageError("name the collection once: as COLLECTION or with --collection")
    chart = None if plot is None else output_file("--plot", plot)
    aim = Aim(target_recall, budget_ms, memory, kinds, 60 * minutes)
    with open_collection(where or collection, device=device) as opened:
        try:
            with opened.trials() as trials:
                report = find_best(trials, aim, told=teller())
        finally:
            stop_telling()
    assert report is not None, "nothing stopped it"
    if chart is not None:
        draw(report, chart)
    if as_json:
        printing.out_json(report.as_dict())
    else:
        _show(report)


def draw(report: TuneReport, out: Path) -> None:
    """Recall against latency: the best layout of each kind, and the operating point that was chosen."""
    from lookalike.evaluation.chart import Axis, Line, draw_chart

    lines = []
    for tried in report.best_of_each():
        curve = sorted(tried.curve, key=lambda each: each.recall)
        shown = [each for each in curve if each.recall >= _LEAST_SHOWN] or curve[-1:]
        points = tuple((each.recall, each.ms) for each in shown)
        chosen = shown.index(tried.best) if tried is report.chosen and tried.best in shown else None
        lines.append(Line(tried.name, points, chosen))
    draw_chart(
        f"Recall and latency over {report.pictures:,} pictures",
        lines,
        Axis("ann_recall@10, the lower of pictures and words", mark=report.aim.target_recall),
        Axis("milliseconds for a search (median)", scale="log", mark=report.aim.budget_ms),
        out,
    )


def _show(report: TuneReport) -> None:
    printing.table([_row(tried) for tried in report.best_of_each()], header=HEADER)
    for tried in report.tried:
        if tried.note:
            printing.note(f"{tried.name} {_layout(tried)}: {tried.note}")
    printing.out()
    printing.out(f"Chosen: {report.reason}.")
    if not report.stored:
        printing.note("The collection was compacted meanwhile; the next lookalike index builds what was found.")
    words = f" and {printing.count(report.questions[1], 'caption')}" if report.questions[1] else ""
    printing.note(
        "layout: n lists, M links, ef breadth of building, t trees; search: effort/candidates; words: of captions"
    )
    printing.note(
        f"{printing.count(len(report.tried), 'layout')} measured with "
        f"{printing.count(report.questions[0], 'picture')}{words} in {printing.duration(report.seconds)}."
    )


def _row(tried: Tried) -> tuple[str, ...]:
    best, spec = tried.best, tried.spec
    assert best is not None
    return (
        tried.name,
        _layout(tried),
        f"{best.effort}/{best.fetch}" if spec is not None else "-",
        f"{best.recall_pictures:.3f}",
        "-" if best.recall_words is None else f"{best.recall_words:.3f}",
        milliseconds(best.ms),
        milliseconds(best.p95_ms),
        megabytes(tried.bytes),
        f"{tried.build_s:.0f} s",
    )


def _layout(tried: Tried) -> str:
    """Lists, links and breadth of building a graph, trees."""
    spec = tried.spec
    if spec is None:
        return "-"
    parts = (("n", spec.nlist), ("M", spec.m), ("ef", spec.ef_construction), ("t", spec.trees))
    return " ".join(f"{name}{value}" for name, value in parts if value) or "-"
