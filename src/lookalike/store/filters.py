"""What a condition lets pass: rows by columns where these tell, else by SQL; and single items."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

from lookalike.store.database import select_in
from lookalike.store.filter_columns import NotInColumns, chosen_by
from lookalike.store.filter_sql import add_functions, condition_sql
from lookalike.store.tables import declared_fields

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from lookalike.core.arrays import RowMask
    from lookalike.core.conditions import Condition
    from lookalike.store.columns import Chosen, Columns
    from lookalike.store.records import Root, Space

_FETCH = 10_000
"""Row numbers taken from SQLite at once."""
_ROWS = """
    SELECT v.row FROM items i CROSS JOIN contents c ON c.number = i.content
    CROSS JOIN vectors v ON v.picture = i.picture AND v.space = ? WHERE {}
"""
_ITEMS = "SELECT i.id FROM items i CROSS JOIN contents c ON c.number = i.content WHERE {} AND i.id IN ({{}})"


def rows_where(
    connection: sqlite3.Connection,
    space: Space,
    roots: Mapping[int, Root],
    columns: Columns | None,
    condition: Condition,
) -> RowMask:
    """Rows with an item that meets a condition: bool (count,). The connection is in a transaction."""
    import numpy as np

    chosen = entries_where(connection, columns, condition)
    if columns is not None and chosen is not None:
        return columns.row_mask(chosen)
    add_functions(connection, roots)
    sql, values = condition_sql(condition, declared_fields(connection))
    mask = np.zeros(space.count, dtype=np.bool_)
    with closing(connection.execute(_ROWS.format(sql), (space.number, *values))) as cursor:
        while some := cursor.fetchmany(_FETCH):
            mask[[row for (row,) in some]] = True
    return mask


def entries_where(connection: sqlite3.Connection, columns: Columns | None, condition: Condition) -> Chosen | None:
    """Entries of `columns` that meet a condition: bool (entries,); None where columns do not tell."""
    if columns is not None:
        with suppress(NotInColumns, OSError, ValueError, IndexError):  # the set was replaced in between, or is damaged
            return chosen_by(columns, condition, declared_fields(connection))
    return None


def items_where(
    connection: sqlite3.Connection, roots: Mapping[int, Root], condition: Condition, ids: Iterable[str]
) -> set[str]:
    """Those of the items that meet a condition themselves, by their ids."""
    add_functions(connection, roots)
    sql, values = condition_sql(condition, declared_fields(connection))
    return {id for (id,) in select_in(connection, _ITEMS.format(sql), tuple(values), ids)}
