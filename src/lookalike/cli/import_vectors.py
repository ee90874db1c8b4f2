"""`lookalike import-vectors`: a collection from vectors that were made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.options import collection_option, command, device_option, json_option
from lookalike.cli.outcome import Interrupted

if TYPE_CHECKING:
    from lookalike.engine.reports import ImportReport

SKIPPED_SHOWN = 5
"""Vectors named in the summary; `--json` has them all."""


@command
@click.argument("folder", metavar="DIR")
@click.option("--encoder", metavar="NAME", help="The encoder that made them, so that words and pictures can be asked.")
@click.option("--images", metavar="DIR", help="Where relative paths of pictures begin.  [default: the vectors' DIR]")
@device_option
@collection_option
@json_option
def import_vectors(
    *,
    folder: str,
    encoder: str | None,
    images: str | None,
    device: str,
    collection: str | None,
    as_json: bool,
) -> None:
    """Take vectors in that were made elsewhere; nothing is encoded.

    DIR is what lookalike export wrote, or clip-retrieval (img_emb and metadata), or holds a flat .faiss file,
    .npy files or a Parquet table with a column of vectors. An interrupted import goes on where it stopped.
    """
    from lookalike.cli.interrupt import stop_on_interrupt
    from lookalike.cli.opening import maker_of, open_collection
    from lookalike.cli.progress import display
    from lookalike.engine.reports import ImportReport, Progress

    report: ImportReport | None = None
    maker = None if encoder is None else maker_of(encoder, device)
    with (
        open_collection(collection, device=device, create=True) as opened,
        stop_on_interrupt() as stop,
        display() as shown,
    ):
        for event in opened.import_vectors(folder, encoder=maker, pictures=images, stop=stop):
            if isinstance(event, Progress):
                shown.show(event)
            elif isinstance(event, ImportReport):
                report = event
    assert report is not None, "an import ends with its report"
    if as_json:
        printing.out_json(report.as_dict())
    else:
        _summarise(report)
    if report.interrupted:
        raise Interrupted


def _summarise(report: ImportReport) -> None:
    verb = "Stopped after" if report.interrupted else "Done in"
    known = f", {report.known:,} were known" if report.known else ""
    skipped = f", {len(report.skipped):,} skipped" if report.skipped else ""
    printing.out(
        f"{verb} {printing.duration(report.seconds)}: took {printing.count(report.added, 'vector')} "
        f"by {report.encoder}{known}{skipped}."
    )
    for each in report.skipped[:SKIPPED_SHOWN]:
        printing.note(f"  {printing.printable(each.uri)}: {printing.printable(each.reason)}")
    for folder in report.folders:
        printing.note(f"Later runs of lookalike index look through {printing.printable(folder)}")
    if report.interrupted:
        printing.note("What is done is kept; the same command goes on from here.")
