"""`lookalike migrate`: the collection to another encoder, resumable, searches going on meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.options import collection_option, command, device_option, json_option
from lookalike.cli.outcome import Interrupted

if TYPE_CHECKING:
    from lookalike.engine.reports import MigrateReport


@command
@click.option("--encoder", required=True, metavar="NAME", help="The encoder to move to; lookalike encoders lists them.")
@click.option("--drop-former", is_flag=True, help="Do not keep the vectors that the new ones were computed from.")
@device_option
@collection_option
@json_option
def migrate(*, encoder: str, drop_former: bool, device: str, collection: str | None, as_json: bool) -> None:
    """Move the collection to another encoder; searches go on meanwhile.

    NAME may be a folder, such as tune-encoder writes. Where its vectors follow from the present ones (tuned heads,
    a metric, fewer components of the present encoder) no picture is read; else all are encoded again. Then the
    collection switches. An interrupted run goes on where it stopped when the same command is given again.
    """
    from lookalike.cli.interrupt import stop_on_interrupt
    from lookalike.cli.opening import fetch_encoder, open_collection
    from lookalike.cli.progress import display
    from lookalike.engine.reports import MigrateReport, Progress

    with open_collection(collection, device=device) as opened:
        wanted = fetch_encoder(encoder, device)
        report: MigrateReport | None = None
        with stop_on_interrupt() as stop, display() as shown:
            for event in opened.migrate(wanted, drop_former=drop_former, stop=stop):
                if isinstance(event, Progress):
                    shown.show(event)
                elif isinstance(event, MigrateReport):
                    report = event
    assert report is not None, "a migration ends with its report"
    if as_json:
        printing.out_json(report.as_dict())
    else:
        _summarise(report)
    if not report.switched:
        raise Interrupted


def _summarise(report: MigrateReport) -> None:
    done = f"{_done(report)} in {printing.duration(report.seconds)}"
    if not report.switched:
        printing.out(f"Stopped after {done}; the collection still uses its former encoder.")
        printing.note("What is done is kept; the same command goes on from here.")
        return
    printing.out(f"The collection now uses {report.encoder}: {done}.")
    if report.index is not None and report.index.built:
        printing.out(f"Searching is faster from now on: an index took {printing.duration(report.index.seconds)}.")
    elif report.index is not None and report.index.interrupted:
        printing.note("The search index is not finished; lookalike index goes on with it.")
    if report.kept:
        printing.note(
            f"The vectors of {' and '.join(report.kept)} are kept, so that the way back reads no picture either; "
            "--drop-former frees their space."
        )
    if report.skipped:
        printing.note(
            f"{printing.count(len(report.skipped), 'picture')} could not be read now; lookalike index takes them later."
        )


def _done(report: MigrateReport) -> str:
    encoded = f"{printing.count(report.encoded, 'picture')} encoded"
    if report.switched and not (report.derived or report.encoded or report.skipped):
        return "its vectors were there,"
    if not report.derived:
        return encoded
    derived = f"{printing.count(report.derived, 'vector')} computed from the former ones"
    return f"{derived}, {encoded}" if report.encoded else f"{derived}, no picture read,"
