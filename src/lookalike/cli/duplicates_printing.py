"""Groups of duplicates, plans and moves for a person, in the width of the terminal."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from typing import TYPE_CHECKING

import click

from lookalike.cli import printing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lookalike.engine.duplicates_report import DuplicateGroup, DuplicatesReport, Member
    from lookalike.engine.move_plan import LeftItem, MovePlan
    from lookalike.engine.moving import MoveReport

_NAMES = {
    "same": ("equal", "equal"),
    "copy": ("copy", "copies"),
    "edited": ("edited", "edited"),
    "burst": ("burst", "bursts"),
}
"""Of one group, and of several."""
_MOVES_SHOWN = 20
"""Files of a plan that are listed."""
_REASONS_SHOWN = 8
_EXAMPLE_WIDTH = 40
_PIXELS_WIDTH, _SIZE_WIDTH = 11, 9


def groups(found: Iterable[DuplicateGroup], *, most: int, so_far: bool = False) -> None:
    """The first groups with their items, and how many there are of each kind. `so_far`: a look was cut short."""
    counts: Counter[str] = Counter()
    spare = spare_bytes = 0
    for group in found:
        if counts.total() < most:
            _group(group)
        counts[group.kind] += 1
        if group.kind != "burst":
            spare += len(group.items) - 1
            spare_bytes += sum(item.size for item in group.items[1:])
    if not counts:
        printing.out("No duplicates so far." if so_far else "No duplicates.")
        return
    if counts.total() > most:
        printing.out(f"... and {printing.count(counts.total() - most, 'more group')} (-k {counts.total()} lists all)")
    kinds = ", ".join(printing.count(number, *_NAMES[kind]) for kind, number in counts.items())
    printing.out(f"{printing.count(counts.total(), 'group')}: {kinds}.")
    if spare:
        printing.out(f"{printing.count(spare, 'picture')} could go, {printing.size(spare_bytes)}.")
        printing.note("Next: lookalike duplicates --move-to DIR shows what would move (or --html FILE to look at them)")


def report(told: DuplicatesReport, *, again: bool) -> None:
    """How the look went. `again`: all was to be compared anew."""
    if told.finished:
        files = printing.count(told.finished, "file")
        printing.note(f"A move that was cut short is finished: {files} looked after.")
    if told.looked_at:
        pictures = printing.count(told.looked_at, "new picture")
        pairs = printing.count(told.compared, "pair")
        printing.note(f"{pictures}, {pairs} compared in {printing.duration(told.seconds)}", dim=True)
    for sentence in told.notes:
        printing.note(sentence)
    if told.not_looked_at:
        pictures = printing.count(told.not_looked_at, "picture")
        printing.note(f"{pictures} could not be read now and are compared by their vectors alone.")
    if told.interrupted:
        how = "without --again it goes on from here" if again else "the same command goes on from here"
        printing.note(f"What is done is kept; {how}.")


def plan(planned: MovePlan) -> None:
    """What would move where, and what would stay, and how to do it."""
    target = printing.printable(os.fsdecode(planned.target))
    width = printing.columns()
    for file in [file for move in planned.moves for file in move.files][:_MOVES_SHOWN]:
        size = printing.size(file.size).rjust(_SIZE_WIDTH)
        source = printing.printable(os.fsdecode(file.source))
        where = printing.printable(os.path.relpath(os.fsdecode(file.target), os.fsdecode(planned.target)))
        if width is not None:
            room = (width - _SIZE_WIDTH - 6) // 2
            source, where = printing.padded(printing.shortened(source, room), room), printing.shortened(where, room)
        printing.out(f"{source}  {size}  > {where}")
    if planned.files > _MOVES_SHOWN:
        printing.out(f"... and {printing.count(planned.files - _MOVES_SHOWN, 'more file')} (--json lists all)")
    _left(planned.left)
    if not planned.moves:
        printing.out("Nothing would move.")
        return
    files = printing.count(planned.files, "file")
    printing.out(f"{files}, {printing.size(planned.bytes)}, would move below {target}.")
    printing.note("Nothing was moved. The same command with --yes does it; --undo brings everything back.")
    if planned.is_indexed:
        printing.note(f"{target} lies in a folder that is indexed: what moves there stays in the collection.")


def moved(done: MoveReport, planned: MovePlan) -> None:
    """What moved, and what stayed."""
    _left((*planned.left, *done.left))
    files = printing.count(done.files, "file")
    target = printing.printable(os.fsdecode(planned.target))
    printing.out(f"{files}, {printing.size(done.bytes)}, moved below {target}.")
    if done.interrupted:
        printing.note("Stopped; what is moved is in the journal. The same command goes on.")
    if done.files:
        printing.note("lookalike duplicates --undo brings everything back.")


def undone(done: MoveReport, *, more: bool) -> None:
    """What is back. `more`: some file is still where a move carried it."""
    _left(done.left)
    if not (done.files or done.left):
        printing.out("There is nothing to bring back.")
        return
    printing.out(f"{printing.count(done.files, 'file')}, {printing.size(done.bytes)}, brought back.")
    if done.again < done.items:
        pictures = printing.count(done.items - done.again, "picture")
        printing.note(f"{pictures} the collection has forgotten meanwhile; lookalike index takes them in again.")
    if done.interrupted:
        printing.note("Stopped; the same command goes on.")
    elif more and not done.left:
        printing.note("An earlier move still stands; the same command brings it back too.")


def _group(group: DuplicateGroup) -> None:
    width = printing.columns()
    sure = "" if group.kind == "same" else f", {group.sure:.0%} sure"
    why = f"{group.kind}{sure}: {group.why}"
    printing.out(click.style(_within(width, why), bold=True))
    several = len({item.why for item in group.items[1:]}) > 1
    for item in group.items:
        kept = item.id == group.keep
        printing.out(_line("+" if kept else "-", item, width))
        said = f"kept: {group.keep_why}" if kept else item.why if several else ""
        if said:
            printing.out(click.style(_within(width, said, "    "), dim=True))
    printing.out()


def _within(width: int | None, text: str, indent: str = "") -> str:
    """A sentence behind its indent, broken between words where a terminal is so wide."""
    shown = indent + printing.printable(text)
    if width is None:
        return shown
    return textwrap.fill(shown, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _line(mark: str, item: Member, width: int | None) -> str:
    pixels = f"{item.width}x{item.height}" if item.width else ""
    size, path = printing.size(item.size), printing.printable(item.uri) + (" (offline)" if item.offline else "")
    if width is None:
        return f"  {mark} {path}  {pixels}  {size}"
    end = f"{pixels.rjust(_PIXELS_WIDTH)}  {size.rjust(_SIZE_WIDTH)}"
    room = width - len(end) - 4
    return f"  {mark} {printing.padded(printing.shortened(path, room), room)}{end}"


def _left(left: Sequence[LeftItem]) -> None:
    """What stays, by its reasons."""
    reasons = Counter(each.reason for each in left)
    for reason, number in reasons.most_common(_REASONS_SHOWN):
        example = next(each.uri for each in left if each.reason == reason)
        verb = "stays" if number == 1 else "stay"
        such = printing.printable(example)
        such = such if printing.columns() is None else printing.shortened(such, _EXAMPLE_WIDTH)
        printing.out(f"{number:,} {verb}: {printing.printable(reason)}  ({such})")
    if len(reasons) > _REASONS_SHOWN:
        printing.out(f"... and for {len(reasons) - _REASONS_SHOWN} more reasons (--json lists all)")
