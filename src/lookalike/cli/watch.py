"""`lookalike watch`: the collection follows its folders until Ctrl-C, and says what each look found."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.numbers import whole_number
from lookalike.cli.options import collection_option, command, device_option, json_option
from lookalike.cli.outcome import Interrupted
from lookalike.cli.settings import collection_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookalike.engine.reports import SyncReport
    from lookalike.engine.watching import WatchEvent, Watching

EVERY_S = 3600
ROOT_WIDTH = 60


@command
@click.argument("paths", nargs=-1)
@click.option(
    "--every",
    "every_s",
    type=whole_number(1),
    metavar="SECONDS",
    default=EVERY_S,
    show_default=True,
    help="Look at everything so often, told of changes or not.",
)
@device_option
@collection_option
@json_option
def watch(*, paths: tuple[str, ...], every_s: int, device: str, collection: str | None, as_json: bool) -> None:
    """Keep the collection up to date while files change, until Ctrl-C.

    PATHS are folders, pictures or catalogues, as lookalike index takes them; without any, all that were indexed
    before. A file that is being written is taken when it has settled.
    """
    from lookalike.cli.index import NO_FOLDERS, refuse_missing
    from lookalike.cli.interrupt import stop_on_interrupt
    from lookalike.cli.opening import open_collection
    from lookalike.engine.watching import Pace
    from lookalike.engine.watching import watch as follow

    if not collection_path(collection).exists():
        if not paths:
            raise click.UsageError(NO_FOLDERS)
        refuse_missing(paths)
    with open_collection(collection, device=device, create=True) as opened:
        if not paths and not opened.status()["roots"]:
            raise click.UsageError(NO_FOLDERS)
        with stop_on_interrupt() as stop:
            last = _tell(follow(opened, paths, stop=stop, pace=Pace(every=every_s)), as_json=as_json)
    if last is not None and last.interrupted:
        raise Interrupted


def _tell(events: Iterable[WatchEvent], *, as_json: bool) -> SyncReport | None:
    """Print what a watch tells, each look when it has ended; the last one."""
    from lookalike.engine.reports import SyncReport
    from lookalike.engine.watching import Waiting, Watching

    last: SyncReport | None = None
    skipped: set[str] = set()
    for event in events:
        if isinstance(event, Watching):
            _say_watched(event)
        elif isinstance(event, Waiting):
            printing.note(f"{printing.printable(event.why)}; waiting")
        elif isinstance(event, SyncReport):
            if as_json:
                printing.out(json.dumps(event.as_dict()))
            else:
                _say(event, skipped, is_first=last is None)
            last = event
    return last


def _say_watched(watched: Watching) -> None:
    shown = ", ".join(printing.shortened(printing.printable(root), ROOT_WIDTH) for root in watched.roots)
    printing.note(f"Watching {shown}  (Ctrl-C ends it)")
    if watched.untold:
        printing.note(f"The system tells of no changes there ({printing.printable(watched.untold)}): a look a minute.")


def _say(report: SyncReport, skipped: set[str], *, is_first: bool) -> None:
    """What a look found, on a line, and files that were not `skipped` before; nothing where it found nothing new."""
    from lookalike.cli.index import by_reason, changes
    from lookalike.engine.look import CHANGING

    found = [each for each in changes(report) if not each.endswith("skipped")]
    if found or is_first:
        printing.out(f"{time.strftime('%H:%M:%S')}  {', '.join(found) or 'nothing changed'}")
    new = [each for each in report.skipped if each.code != CHANGING and each.uri not in skipped]
    skipped.update(each.uri for each in new)
    for reason, members in by_reason(new):
        printing.note(f"{printing.count(len(members), 'file was', 'files were')} skipped: {printing.printable(reason)}")
