"""`lookalike move`: a collection from this computer to an engine elsewhere, or back."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.options import command, json_option
from lookalike.cli.outcome import Failed
from lookalike.cli.settings import collection_path, engine_access, remote_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lookalike.engine.moving_collections import MoveEvent, MovePlan, MoveReport
    from lookalike.remote.contract import RemoteEngine


@command
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--dry-run", is_flag=True, help="Only say what would be moved.")
@json_option
def move(*, source: str, target: str, dry_run: bool, as_json: bool) -> None:
    """Move a collection to an engine elsewhere, or back; FROM stays as it is.

    One of FROM and TO is a collection here, the other an address: milvus://HOST:19530/NAME or
    postgresql://USER@HOST/DATABASE?collection=NAME. Everything is compared at the end; what broke off goes on with the
    same command.
    """
    from lookalike.remote.opening import connect

    is_going = remote_address(target) is not None
    address = remote_address(target if is_going else source)
    if address is None or (is_going and remote_address(source) is not None):
        raise click.UsageError("one of FROM and TO is a collection here, the other an address like milvus://HOST/NAME")
    path = collection_path(source if is_going else target)
    engine = connect(address, engine_access())
    try:
        plan, report = _moved(engine, path, is_going=is_going, is_told=not as_json, dry_run=dry_run)
    finally:
        engine.close()
    if as_json:
        printing.out_json((plan if report is None else report).as_dict())
    elif report is not None:
        _show(report)
    if report is not None and report.differing:
        raise Failed


def _moved(
    engine: RemoteEngine, path: Path, *, is_going: bool, is_told: bool, dry_run: bool
) -> tuple[MovePlan, MoveReport | None]:
    from lookalike.engine import moving_collections as moving
    from lookalike.store.collection_store import Store

    with ExitStack() as held:
        store = held.enter_context(Store.open(path, create=False)) if is_going or path.exists() else None
        plan = moving.plan_there(store, engine) if is_going and store else moving.plan_here(engine, path, store)
        if is_told:
            _show_plan(plan)
        if dry_run:
            return plan, None
        if store is None:
            store = held.enter_context(Store.open(path))
        events = moving.move_there(store, engine) if is_going else moving.move_here(engine, store)
        return plan, _followed(events)


def _followed(events: Iterator[MoveEvent]) -> MoveReport:
    from lookalike.cli.progress import display
    from lookalike.engine.reports import Progress

    with display() as shown:
        for event in events:
            if isinstance(event, Progress):
                shown.show(event)
            else:
                return event
    raise AssertionError("a move ends with its report")


def _show_plan(plan: MovePlan) -> None:
    printing.note(f"From {printing.printable(plan.source)} to {printing.printable(plan.target)}:")
    printing.note(f"  {printing.count(plan.items, 'item')} with vectors of {plan.encoder}, {plan.dim} dimensions")
    if plan.there:
        printing.note(f"  {printing.count(plan.there, 'item is', 'items are')} there already")
    if plan.left:
        printing.note(f"  {printing.count(plan.left, 'item has', 'items have')} no vector yet and stays behind")
    printing.note("  index files, judgements of duplicates and thumbnails stay behind; the source is left as it is")


def _show(report: MoveReport) -> None:
    where = printing.printable(report.target)
    took = printing.duration(report.seconds)
    if report.differing:
        printing.out(f"{where} differs from its source, for instance in {', '.join(report.differing)}.")
    else:
        sent = f", {report.sent:,} of them sent now" if report.sent != report.items else ""
        printing.out(f"Moved in {took}: {printing.count(report.items, 'item')} compared and equal{sent}.")
        printing.note(f'Next: lookalike search "a dog in the snow" --collection {shlex.quote(where)}')
