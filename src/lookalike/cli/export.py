"""`lookalike export`: all vectors as files of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from lookalike.cli import printing
from lookalike.cli.options import collection_option, command, json_option
from lookalike.cli.outcome import Interrupted

if TYPE_CHECKING:
    from lookalike.engine.exchange import Layout
    from lookalike.engine.exporting import DType
    from lookalike.engine.reports import ExportReport

FORMATS = ("faiss", "npy", "parquet")


@command
@click.argument("folder", metavar="DIR")
@click.option(
    "--format",
    "layout",
    type=click.Choice(FORMATS),
    required=True,
    help="A flat FAISS index with a list of paths, clip-retrieval's .npy and Parquet files, or one Parquet table.",
)
@click.option(
    "--dtype",
    type=click.Choice(("float16", "float32")),
    help="Type of the numbers.  [default: float16 for npy, else float32]",
)
@collection_option
@json_option
def export(*, folder: str, layout: str, dtype: str | None, collection: str | None, as_json: bool) -> None:
    """Write all vectors as files that other programs read.

    DIR must be new or empty. It holds one vector for each place of a picture, and lookalike.json, which says whose
    vectors they are; lookalike import-vectors takes all of it back.
    """
    from lookalike.cli.interrupt import stop_on_interrupt
    from lookalike.cli.opening import open_collection
    from lookalike.cli.progress import display
    from lookalike.engine.reports import Progress

    if (layout, dtype) == ("faiss", "float16"):
        raise click.UsageError("a flat FAISS index holds float32; leave --dtype out")
    report: ExportReport | None = None
    with open_collection(collection) as opened, stop_on_interrupt() as stop, display() as shown:
        for event in opened.export(folder, cast("Layout", layout), dtype=cast("DType | None", dtype), stop=stop):
            if isinstance(event, Progress):
                shown.show(event)
            else:
                report = event
    if report is None:
        printing.note("Stopped; nothing was written.")
        raise Interrupted
    if as_json:
        printing.out_json(report.as_dict())
    else:
        _summarise(report)


def _summarise(report: ExportReport) -> None:
    vectors = printing.count(report.vectors, "vector")
    printing.out(
        f"Wrote {vectors} of {report.dim} numbers ({report.dtype}) by {report.encoder}, {printing.size(report.bytes)}, "
        f"in {printing.duration(report.seconds)}: {printing.printable(report.folder)}"
    )
