"""`lookalike status` and `lookalike failures`: what the collection holds, and what it could not take."""

from __future__ import annotations

from typing import Any

import click

from lookalike.cli import printing
from lookalike.cli.index import by_reason
from lookalike.cli.options import collection_option, command, json_option

EXAMPLES = 3
"""Files named under each reason; --paths and --json name all."""


@command
@collection_option
@json_option
def status(*, collection: str | None, as_json: bool) -> None:
    """What the collection holds and where it lies."""
    from lookalike.cli.opening import open_any_collection

    with open_any_collection(collection) as opened:
        state = opened.status()
    if as_json:
        printing.out_json(state)
    else:
        _show(state)


def _show(state: dict[str, Any]) -> None:
    encoder = f"{state['encoder']}, {state['dim']} dimensions" if state["encoder"] else "not chosen yet"
    if "server" in state:
        _show_there(state)
        return
    rows = [
        ("collection", printing.printable(state["collection"]) + (" (read-only)" if state["read_only"] else "")),
        ("pictures", f"{state['pictures']:,}"),
        ("places", f"{state['items']:,} (a picture may lie in several)"),
        ("encoder", encoder),
        ("on disk", printing.size(state["bytes_on_disk"])),
    ]
    rows += [("kept", f"{printing.count(each['vectors'], 'vector')} of {each['encoder']}") for each in state["kept"]]
    if state["index"]:
        rows.append(("search", _search_of(state["index"])))
    if state["offline"]:
        rows.append(("offline", f"{state['offline']:,} in places that are not there now"))
    if state["failures"]:
        rows.append(("skipped", f"{state['failures']:,} (lookalike failures says why)"))
    if state["dead_rows"]:
        rows.append(("to free", f"{state['dead_rows']:,} removed (lookalike compact gives their space back)"))
    for position, root in enumerate(state["roots"]):
        where = printing.printable(root["path"]) + (" (offline)" if root["offline"] else "")
        rows.append(("" if position else "indexed", where))
    for name, value in rows:
        printing.out(f"{name:<12}{value}")
    if not state["roots"]:
        printing.note("Nothing is indexed yet. Next: lookalike index ~/Pictures")


def _show_there(state: dict[str, Any]) -> None:
    """Of a collection on an engine elsewhere."""
    encoder = f"{state['encoder']}, {state['dim']} dimensions" if state["encoder"] else "not chosen yet"
    rows = [
        ("collection", printing.printable(state["collection"])),
        ("places", f"{state['items']:,}"),
        ("encoder", encoder),
        ("held by", printing.printable(state["server"] or "nobody yet")),
        *(("search" if not at else "", each) for at, each in enumerate(state["index"]["explained"])),
    ]
    if state["failures"]:
        rows.append(("skipped", f"{state['failures']:,} (lookalike failures says why)"))
    rows += [("" if at else "indexed", printing.printable(root["path"])) for at, root in enumerate(state["roots"])]
    for name, value in rows:
        printing.out(f"{name:<12}{value}")


def _search_of(index: dict[str, Any]) -> str:
    """How searches are served, in a line."""
    if index["kind"] == "exact":
        served = "every picture is compared"
    else:
        recalls = [index[name] for name in ("recall_pictures", "recall_words") if index[name] is not None]
        found = f", finds {min(recalls):.1%} of the best ten" if recalls else ""
        served = f"{index['kind']} index, {printing.size(index['bytes'])}{found}"
        if index["newer"]:
            served += f"; {index['newer']:,} newer compared one by one"
    return served + ("; lookalike index builds a better one" if index["due"] else "")


@command
@click.option("--paths", "only_paths", is_flag=True, help="Print only paths, one a line.")
@click.option("-0", "null", is_flag=True, help="Print only paths, each ended by NUL, for xargs -0.")
@collection_option
@json_option
def failures(*, only_paths: bool, null: bool, collection: str | None, as_json: bool) -> None:
    """Files that could not be taken, and why."""
    from lookalike.cli.opening import open_any_collection

    with open_any_collection(collection) as opened:
        found = opened.failures()
    if as_json:
        entries = [{"uri": each.uri, "code": each.code, "reason": each.reason} for each in found]
        printing.out_json({"failures": entries})
    elif only_paths or null:
        printing.write_paths([each.uri for each in found], null=null)
    elif not found:
        printing.note("Every picture that was found could be taken.")
    else:
        _show_groups(found)


def _show_groups(found: list[Any]) -> None:
    for reason, members in by_reason(found):
        printing.out(f"{printing.count(len(members), 'file')}: {printing.printable(reason)}")
        for each in members[:EXAMPLES]:
            printing.out(f"  {printing.printable(each.uri)}")
        if len(members) > EXAMPLES:
            printing.out(f"  and {len(members) - EXAMPLES:,} more (--paths lists all)")
    printing.note("A file is tried again when it changes, or with: lookalike index --retry-failed")
