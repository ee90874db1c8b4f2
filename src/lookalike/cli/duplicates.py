"""`lookalike duplicates`: groups of pictures that show the same, decisions about them, and moving the others aside."""

from __future__ import annotations

import os
import shlex
import time
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lookalike.cli import printing
from lookalike.cli.numbers import whole_number
from lookalike.cli.options import WithExample, collection_option, command, json_option, output_file
from lookalike.cli.outcome import Failed, Interrupted
from lookalike.core.records import LIKENESS_KINDS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from lookalike.engine.collection import Collection
    from lookalike.engine.duplicates import Duplicates
    from lookalike.engine.duplicates_report import DuplicateGroup, DuplicatesReport
    from lookalike.engine.moving import MoveReport
    from lookalike.engine.reports import Progress

Report = TypeVar("Report")

SHOWN = 20
"""Groups listed in a terminal unless told otherwise."""
RULES = ("best", "largest", "oldest", "newest")

_TWO = "holiday.jpg phone/holiday.jpg"
"""An example of two items."""


@command
@click.option("--kind", "kinds", multiple=True, type=click.Choice(LIKENESS_KINDS), help="Only this kind; repeatable.")
@click.option("--where", metavar="FILTER", help="Only items that meet a filter: 'taken >= 2024-05'.")
@click.option("-k", "k", type=whole_number(0), default=SHOWN, metavar="N", show_default=True, help="Groups to list.")
@click.option("--paths", "only_paths", is_flag=True, help="Print only the paths that could go, one a line.")
@click.option("-0", "null", is_flag=True, help="Print only these paths, each ended by NUL, for xargs -0.")
@click.option("--html", metavar="FILE", help="Write a page to review the groups side by side, with keys.")
@click.option("--again", is_flag=True, help="Compare everything again, not only what is new.")
@click.option(
    "--not",
    "apart",
    nargs=2,
    multiple=True,
    metavar="A B",
    cls=WithExample,
    example=_TWO,
    help="These are no duplicates; remembered.",
)
@click.option("--forget-not", nargs=2, multiple=True, metavar="A B", cls=WithExample, example=_TWO, help="Forget that.")
@click.option("--list-not", is_flag=True, help="List the pairs that are no duplicates.")
@click.option("--choose", multiple=True, metavar="ITEM", help="Keep this one of its group; remembered.")
@click.option("--forget-choice", multiple=True, metavar="ITEM", help="Forget that.")
@click.option("--keep", "rule", type=click.Choice(RULES), default="best", show_default=True, help="Which one to keep.")
@click.option("--prefer", multiple=True, metavar="FOLDER", help="Rather keep what lies here; the first counts most.")
@click.option("--move-to", metavar="DIR", help="Show what moving the others below DIR would do.")
@click.option("--yes", is_flag=True, help="... and do it. Nothing is ever deleted.")
@click.option("--undo", is_flag=True, help="Bring back what was moved last; again for the move before.")
@collection_option
@json_option
def duplicates(
    *,
    kinds: tuple[Any, ...],
    where: str | None,
    apart: tuple[tuple[str, str], ...],
    forget_not: tuple[tuple[str, str], ...],
    list_not: bool,
    choose: tuple[str, ...],
    forget_choice: tuple[str, ...],
    undo: bool,
    collection: str | None,
    as_json: bool,
    **looking: Any,  # as `_look` names them
) -> None:
    """Find copies and the like, and move them aside; nothing is deleted.

    Kinds: same (equal bytes or pixels), copy (saved again: size, format, metadata), edited (cut, turned, framed,
    coloured, written on), burst (another moment of one scene). Only pictures that are new are compared. A and B and
    ITEM are ids or paths.
    """
    from lookalike.cli.opening import open_collection

    decisions = apart or forget_not or choose or forget_choice
    _refuse_mixtures(decisions=bool(decisions), list_not=list_not, undo=undo, **looking)
    if undo and (kinds or where):
        raise click.UsageError("--undo brings a whole move back; leave --kind and --where out")
    with open_collection(collection) as opened:
        known = opened.duplicates
        if undo:
            _undo(known, as_json=as_json)
        elif list_not:
            _list_not(opened, as_json=as_json)
        elif decisions:
            _decide(known, apart, forget_not, choose, forget_choice, as_json=as_json)
        else:
            _look(known, kinds or None, where, collection=opened.path, as_json=as_json, **looking)


def _refuse_mixtures(
    *,
    decisions: bool,
    list_not: bool,
    undo: bool,
    only_paths: bool,
    null: bool,
    html: str | None,
    prefer: Sequence[str],
    move_to: str | None,
    yes: bool,
    **_: Any,
) -> None:
    """Of several things to do at once all but one would be left undone without a word."""
    if "" in (move_to, *prefer):
        raise click.UsageError("a folder has a name: --move-to and --prefer were given none")
    if yes and not move_to:
        raise click.UsageError("--yes goes with --move-to DIR")
    asked = {
        "--not and --choose": decisions,
        "--list-not": list_not,
        "--undo": undo,
        "--paths": only_paths or null,
        "--html": html,
        "--move-to": move_to,
    }
    several = [name for name, given in asked.items() if given]
    if len(several) > 1:
        raise click.UsageError(f"{' and '.join(several[:2])} are asked for one at a time")


def _look(
    known: Duplicates,
    kinds: Sequence[Any] | None,
    where: str | None,
    *,
    collection: Path,
    k: int,
    only_paths: bool,
    null: bool,
    html: str | None,
    again: bool,
    rule: Any,
    prefer: Sequence[str],
    move_to: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    from lookalike.cli import duplicates_printing as show

    page = None if html is None else output_file("--html", html)
    if move_to is not None:
        known.check_target(move_to)
    for folder in prefer:
        if not os.path.isdir(os.path.expanduser(folder)):
            printing.note(f"--prefer: there is no folder {printing.printable(folder)} now")
    report = _find(known, kinds or LIKENESS_KINDS, where, again=again)
    if move_to is not None:
        asked = {"kinds": kinds, "where": where, "rule": rule, "prefer": prefer}
        _move(known, move_to, report, asked, yes=yes, again=again, as_json=as_json)
        return
    groups = known.all_groups(kinds or LIKENESS_KINDS, where, rule=rule, prefer=prefer)
    if page is not None:
        number = sum(known.groups(kinds or LIKENESS_KINDS, where, limit=0).counts.values())
        _write_page(groups, number, page, collection, as_json=as_json)
    elif as_json:
        printing.out_json({"groups": [group.as_dict() for group in groups], **(report.as_dict() if report else {})})
    elif only_paths or null:
        paths, staying = known.could_go(kinds, where, rule=rule, prefer=prefer)
        printing.write_paths(paths, null=null)
        if staying:
            others = printing.count(staying, "other stays", "others stay")
            printing.note(f"{others} where they are; the plan of --move-to DIR says why.")
    else:
        show.groups(groups, most=k, so_far=report is not None and report.interrupted)
    if report is not None and not (as_json or only_paths or null):
        show.report(report, again=again)
    if report is not None and report.interrupted:
        raise Interrupted


def _move(
    known: Duplicates,
    to: str,
    report: DuplicatesReport | None,
    asked: dict[str, Any],
    *,
    yes: bool,
    again: bool,
    as_json: bool,
) -> None:
    """What moving would do, or doing it, after a look. `asked`: as `Duplicates.plan` takes it."""
    from lookalike.cli import duplicates_printing as show

    if report is not None and not as_json:
        show.report(report, again=again)
    if report is not None and report.interrupted:
        raise Interrupted
    plan = known.plan(to, **asked)
    moved = _shown(lambda stop: known.move(plan, stop=stop)) if yes else None
    if as_json:
        told = report.as_dict() if report else {}
        printing.out_json({**told, "plan": plan.as_dict(), "moved": None if moved is None else moved.as_dict()})
    elif moved is None:
        show.plan(plan)
    else:
        show.moved(moved, plan)
    if moved is not None:
        _end_of(moved)


def _find(known: Duplicates, kinds: Sequence[Any], where: str | None, *, again: bool) -> DuplicatesReport | None:
    """Look at what is new; None where nothing can be written, so that only what is known can be shown."""
    from lookalike.core.errors import CollectionReadOnly

    try:
        return _shown(lambda stop: known.find(kinds, where, again=again, stop=stop))
    except CollectionReadOnly:
        printing.note("the collection cannot be written, so nothing new is looked at; what is known:")
    return None


def _undo(known: Duplicates, *, as_json: bool) -> None:
    from lookalike.cli import duplicates_printing as show

    report = _shown(lambda stop: known.undo(stop=stop))
    if as_json:
        printing.out_json({"undone": report.as_dict()})
    else:
        show.undone(report, more=known.can_undo())
    _end_of(report)


def _end_of(report: MoveReport) -> None:
    """The exit code of what was moved: that something of the plan stayed is no success."""
    if report.interrupted:
        raise Interrupted
    if report.left:
        raise Failed


def _shown(begin: Callable[[threading.Event], Iterator[Progress | Report]]) -> Report:
    """Do something long while its progress is shown; its report. Ctrl-C ends it soon."""
    from lookalike.cli.interrupt import stop_on_interrupt
    from lookalike.cli.progress import display
    from lookalike.engine.reports import Progress

    with stop_on_interrupt() as stop, display() as shown:
        for event in begin(stop):
            if not isinstance(event, Progress):
                return event
            shown.show(event)
    raise AssertionError("what is long ends with its report")


def _decide(
    known: Duplicates,
    apart: Sequence[tuple[str, str]],
    forget_not: Sequence[tuple[str, str]],
    choose: Sequence[str],
    forget_choice: Sequence[str],
    *,
    as_json: bool,
) -> None:
    pairs = [list(known.not_same(*pair)) for pair in apart]
    chosen = [known.keep(item) for item in choose]
    no_pairs = sum(known.undo_not_same(*pair) for pair in forget_not)
    no_choices = sum(known.undo_keep(item) for item in forget_choice)
    if as_json:
        told = {"not": pairs, "chosen": chosen, "forgotten_not": no_pairs, "forgotten_choices": no_choices}
        printing.out_json(told)
        return
    for number, one, many in (
        (len(pairs), "pair is remembered as no duplicates", "pairs are remembered as no duplicates"),
        (len(chosen), "item is kept of its group", "items are kept of their groups"),
        (no_pairs, "pair may be duplicates again", "pairs may be duplicates again"),
        (no_choices, "choice is forgotten", "choices are forgotten"),
    ):
        if number:
            printing.out(f"{printing.count(number, one, many)}.")
    if not (pairs or chosen or no_pairs or no_choices):
        printing.out("Nothing of the kind was remembered.")


def _list_not(opened: Collection, *, as_json: bool) -> None:
    pairs = opened.duplicates.decided_apart()
    if as_json:
        printing.out_json({"not": [list(pair) for pair in pairs]})
        return
    for pair in pairs:
        for mark, id in zip("- ", pair, strict=True):
            printing.out(f"{mark} {id}  {printing.printable(_file_of(opened, id))}")
    if not pairs:
        printing.note("No pair was said to be no duplicates.")


def _file_of(opened: Collection, id: str) -> str:
    from lookalike.core.errors import QueryError

    try:
        return opened.find_item(id).uri
    except QueryError:
        return "(not in the collection now)"


def _write_page(groups: Iterable[DuplicateGroup], number: int, page: Path, collection: Path, *, as_json: bool) -> None:
    """`number`: of all these groups."""
    from lookalike.cli.progress import display
    from lookalike.cli.settings import default_collection
    from lookalike.engine.reports import Progress
    from lookalike.evaluation.duplicates_page import COMMAND, MOST_GROUPS, duplicates_page

    began, total = time.monotonic(), min(number, MOST_GROUPS)

    def told() -> Iterator[DuplicateGroup]:
        for done, group in enumerate(groups):
            yield group
            shown.show(Progress("page", min(done + 1, total), total, 0, 0, time.monotonic() - began))

    named = "" if collection == default_collection() else f" --collection {shlex.quote(str(collection))}"
    with display() as shown:
        written, left_out = duplicates_page(told(), page, command=COMMAND + named)
    if as_json:
        printing.out_json({"html": str(page), "groups": written, "left_out": left_out})
        return
    printing.out(f"{printing.count(written, 'group')} to review: {printing.printable(str(page))}")
    if left_out:
        printing.note(f"{left_out:,} more are left out; --kind and --where show others.")
