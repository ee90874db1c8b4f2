"""`remove`, `prune`, `compact` and `verify`: keeping a collection in order."""

from __future__ import annotations

from collections import Counter

import click

from lookalike.cli import printing
from lookalike.cli.numbers import whole_number
from lookalike.cli.options import collection_option, command, device_option, json_option
from lookalike.cli.outcome import Failed

SAMPLE = 100
"""Pictures that `verify` encodes again unless told otherwise."""


@command
@click.argument("path")
@collection_option
@json_option
def remove(*, path: str, collection: str | None, as_json: bool) -> None:
    """Take a file or folder out of the collection; the files stay.

    It stays out in later runs, until `lookalike index` is given that very PATH.
    """
    from lookalike.cli.opening import open_any_collection

    with open_any_collection(collection) as opened:
        removed = opened.remove(path)
    if as_json:
        printing.out_json({"removed": removed})
    elif removed:
        printing.out(f"Took {printing.count(removed, 'picture')} out of the collection; the files are untouched.")
    else:
        printing.out(f"The collection holds nothing at {printing.printable(path)}.")


@command
@click.option("--purge", is_flag=True, help="Also erase what was stored about everything removed so far.")
@collection_option
@json_option
def prune(*, purge: bool, collection: str | None, as_json: bool) -> None:
    """Forget pictures on disks and folders that are not there any more."""
    from lookalike.cli.opening import open_collection

    with open_collection(collection) as opened:
        forgotten = opened.prune(purge=purge)
    if as_json:
        printing.out_json({"pruned": forgotten, "purged": purge})
    else:
        erased = " Nothing of what was removed is left on disk." if purge else ""
        printing.out(f"Forgot {printing.count(forgotten, 'picture')}.{erased}")


@command
@collection_option
@json_option
def compact(*, collection: str | None, as_json: bool) -> None:
    """Give back the disk space of pictures that are gone."""
    from lookalike.cli.opening import open_collection

    with open_collection(collection) as opened:
        report = opened.compact()
    if as_json:
        printing.out_json({"pictures": report.pictures, "rows": report.rows, "bytes": report.bytes})
    else:
        gone = f" of {printing.count(report.pictures, 'picture')} that are gone" if report.pictures else ""
        printing.out(f"Freed {printing.size(report.bytes)}{gone}.")


@command
@click.option(
    "--sample",
    type=whole_number(0),
    default=SAMPLE,
    show_default=True,
    help="How many pictures to encode again and compare.",
)
@device_option
@collection_option
@json_option
def verify(*, sample: int, device: str, collection: str | None, as_json: bool) -> None:
    """Check that everything stored is whole and right.

    Reads every checksum, and encodes a sample of the pictures again to see that each has its own vector.
    """
    from lookalike.cli.opening import open_any_collection

    with open_any_collection(collection, device=device) as opened:
        report = opened.verify(sample=sample)
    if as_json:
        printing.out_json(report.as_dict())
    else:
        for problem, times in Counter(report.problems).items():
            printing.out(printing.printable(problem) + (f" ({times:,} times)" if times > 1 else ""))
        unread = f", {report.unreadable:,} could not be read now" if report.unreadable else ""
        verdict = printing.count(len(report.problems), "problem") if report.problems else "All is well"
        printing.out(
            f"{verdict}: {printing.count(report.rows, 'row')} checked, {report.sampled:,} encoded again{unread}."
        )
    if report.problems:
        raise Failed
