"""`lookalike show` and `lookalike fields`: what is known about one item, and what there is to filter and sort by."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.options import collection_option, command, json_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookalike.engine.fields import FieldFacts

_VALUE_WIDTH = 24
"""Columns for one of several values of a field."""
_EXAMPLES = 2
"""Values shown of a field in which no two items agree."""


@command
@click.argument("item", metavar="ITEM")
@collection_option
@json_option
def show(*, item: str, collection: str | None, as_json: bool) -> None:
    """All that is known about one item.

    ITEM is an id, as search --json prints it, or the path of an indexed file.
    """
    from lookalike.cli.opening import open_any_collection

    with open_any_collection(collection) as opened:
        facts = opened.item(os.path.expanduser(item))
    if as_json:
        printing.out_json(facts)
        return
    metadata = facts.pop("metadata")
    shown = [(name, _value(value)) for name, value in (facts | metadata).items() if value not in (None, [], False)]
    _show(shown)


@command
@collection_option
@json_option
def fields(*, collection: str | None, as_json: bool) -> None:
    """What is known about the items, to filter and sort by."""
    from lookalike.cli.opening import open_any_collection

    with open_any_collection(collection) as opened:
        facts = opened.fields()
    if as_json:
        printing.out_json({"fields": [each.as_dict() for each in facts]})
        return
    rows = [(printing.printable(each.name), each.kind, f"{each.items:,}", _values(each)) for each in facts]
    printing.table(rows, header=("field", "kind", "items", "values"))


def _show(rows: Iterable[tuple[str, str]]) -> None:
    rows = [(printing.printable(name), value) for name, value in rows]
    width = max(printing.display_width(name) for name, _ in rows) + 2
    for name, value in rows:
        printing.out(printing.padded(name, width) + value)


def _value(value: Any) -> str:
    if value is True:
        return "yes"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(map(printing.printable, value))
    return printing.printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _values(facts: FieldFacts) -> str:
    """The range of a field, or its most frequent values, each shortened."""
    if facts.least is not None:
        return str(facts.least) if facts.least == facts.most else f"{facts.least} to {facts.most}"
    if facts.distinct is not None and facts.distinct == facts.items > len(facts.frequent):
        return f"all different: {', '.join(_short(value) for value, _ in facts.frequent[:_EXAMPLES])}, ..."
    several = [f"{_short(value)} ({items:,})" for value, items in facts.frequent]
    more = (facts.distinct or len(several)) - len(several)
    return ", ".join(several) + (f" and {more:,} more" if several and more > 0 else "")


def _short(value: str) -> str:
    text = printing.printable(value)
    return printing.shortened(text, _VALUE_WIDTH)
