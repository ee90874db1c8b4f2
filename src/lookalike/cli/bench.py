"""`lookalike bench`: every kind of index on one's own collection, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.numbers import any_number
from lookalike.cli.options import collection_option, command, device_option, json_option, output_file
from lookalike.cli.trying import kinds_option, megabytes, milliseconds, stop_telling, teller

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.evaluation.speed import Speed, SpeedReport

HEADER = ("index", "recall", "p50", "p95", "p99", "qps", "all", "MB", "RSS", "build")


@command
@kinds_option("Measure only these, separated by commas, beside exact.")
@click.option(
    "--target-recall",
    type=any_number(0, 1, above=True),
    default=0.95,
    show_default=True,
    help="Share of the right ten answers with which every candidate is searched.",
)
@click.option("--plot", metavar="FILE", help="Draw latency against size, as PNG.")
@device_option
@collection_option
@json_option
def bench(
    *,
    kinds: tuple[str, ...] | None,
    target_recall: float,
    plot: str | None,
    device: str,
    collection: str | None,
    as_json: bool,
) -> None:
    """Measure every kind of index on the collection itself.

    Each is built, searched with pictures of the collection and with captions, and removed; the collection stays as it
    is. The exact scan is always among them.
    """
    from lookalike.cli.opening import open_collection
    from lookalike.evaluation.speed import bench as measure

    chart = None if plot is None else output_file("--plot", plot)
    with open_collection(collection, device=device) as opened:
        try:
            with opened.trials() as trials:
                report = measure(trials, kinds=kinds, target_recall=target_recall, told=teller())
        finally:
            stop_telling()
    if chart is not None:
        draw(report, chart)
    if as_json:
        printing.out_json(report.as_dict())
    else:
        _show(report)


def draw(report: SpeedReport, out: Path) -> None:
    """Size against latency, a dot for each candidate."""
    from lookalike.evaluation.chart import Axis, Line, draw_chart

    lines = [
        Line(each.name, ((each.bytes / 1e6, each.p95_ms),), 0 if each.chosen else None) for each in report.candidates
    ]
    draw_chart(
        f"Indexes of {report.pictures:,} pictures at a recall of {report.target_recall:g}",
        lines,
        Axis("megabytes searched", scale="log"),
        Axis("milliseconds that 95 of 100 searches stay below", scale="log"),
        out,
    )


def _show(report: SpeedReport) -> None:
    printing.table([_row(each) for each in report.candidates], header=HEADER)
    words = f" and {printing.count(report.questions[1], 'caption')}" if report.questions[1] else ""
    printing.note(
        f"{printing.count(report.pictures, 'picture')} of {report.dim} dimensions, asked "
        f"{printing.count(report.questions[0], 'picture')}{words}. * serves searches now."
    )
    printing.note(
        "p50, p95, p99: milliseconds of a search; qps: searches a second by one thread, all: by "
        f"{printing.count(report.threads, 'thread')}; MB: what is searched; RSS: MB held by the process."
    )
    short = [each.name for each in report.candidates if each.recall < report.target_recall]
    if short:
        printing.note(f"Short of {report.target_recall:g} whatever the effort: {', '.join(short)}.")


def _row(each: Speed) -> tuple[str, ...]:
    return (
        f"{each.name}*" if each.chosen else each.name,
        f"{each.recall:.3f}",
        milliseconds(each.p50_ms),
        milliseconds(each.p95_ms),
        milliseconds(each.p99_ms),
        f"{each.qps:.0f}",
        f"{each.qps_threads:.0f}",
        megabytes(each.bytes),
        megabytes(each.rss_bytes),
        f"{each.build_s:.0f} s",
    )
