"""Conditions as SQL: the truth about them, where there are no columns or these do not tell.

What the nodes mean is said in `lookalike.core.conditions`. Every value that a user gave is a parameter; the text of the
SQL is made of nothing but what stands here. Text, paths and dates go through functions of ours that a connection is
given (`add_functions`), so that capitals beyond ASCII and bytes that are not text mean the same as in columns.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.core.conditions import (
    METADATA,
    And,
    Compare,
    Contains,
    Has,
    In,
    Moments,
    Not,
    Or,
    folded,
    kind_in_metadata,
    place_of,
    text_of,
)
from lookalike.core.fields import date_ns
from lookalike.store.columns import extension_of, folder_of, name_of
from lookalike.store.database import chunks
from lookalike.store.folded_texts import folded_word
from lookalike.store.places import native_path

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from lookalike.core.conditions import Condition, Operator, Value
    from lookalike.core.fields import FieldKind
    from lookalike.store.records import Root

Sql: TypeAlias = tuple[str, list[Any]]
"""A condition on `items i` and `contents c`, with the values for its question marks in order."""

_IN_METADATA = """EXISTS (
    SELECT 1 FROM json_each(json_patch(c.metadata, i.metadata)) v
    LEFT JOIN json_each(CASE v.type WHEN 'array' THEN v.value ELSE '[]' END) e
    WHERE CAST(v.key AS BLOB) = ? AND {})"""
_TYPE = "CASE v.type WHEN 'array' THEN e.type ELSE v.type END"
_ATOM = "CASE v.type WHEN 'array' THEN e.atom ELSE v.atom END"
_OF_FILES = {
    "id": ("'text'", "i.id"),
    "size": ("'integer'", "i.size"),
    "width": ("iif(c.width IS NULL, 'null', 'integer')", "c.width"),
    "height": ("iif(c.height IS NULL, 'null', 'integer')", "c.height"),
    "format": ("iif(c.format = '', 'null', 'text')", "c.format"),
    "modified": ("'moment'", "i.modified_ns"),
}
"""Type and value of the facts about every file; the others are parts of its path, which `lookalike_place` tells."""
_CHAIN = 100
_COMPARABLE = "('text', 'integer', 'real', 'true', 'false', 'folded', 'moment')"


def add_functions(connection: sqlite3.Connection, roots: Mapping[int, Root]) -> None:
    """Give the connection what the SQL of conditions calls."""

    def place(which: str, root: int, key: bytes, uri: bytes | None) -> bytes | None:
        """A part of an item's path as it is compared; None for no extension."""
        native = uri or native_path(roots[root].path, key, is_file=roots[root].is_file)
        match which:
            case "folder":
                return folded_word(folder_of(native))
            case "name":
                return folded(os.fsdecode(name_of(native)))
            case "extension":
                return folded_word(extension_of(name_of(native))) or None
            case _:
                return folded(os.fsdecode(native))

    connection.create_function("lookalike_place", 4, place, deterministic=True)
    connection.create_function("lookalike_folded", 2, _folded_json, deterministic=True)
    connection.create_function("lookalike_moment", 2, _moment, deterministic=True)


def condition_sql(condition: Condition, declared: Mapping[str, FieldKind], *, negated: bool = False) -> Sql:
    """A condition as SQL, or its negation. `declared`: the fields of catalogues, for `place_of`.

    SQLite limits how deep what it parses may be (100 states open at once, by default). So negations go down to the
    comparisons, and of several parts the deepest comes first, where it keeps no others open.
    """
    match condition:
        case And(parts) | Or(parts):
            word, of_none = ("AND", "1") if isinstance(condition, And) is not negated else ("OR", "0")
            deepest_first = sorted(parts, key=_depth, reverse=True)
            return _joined([condition_sql(part, declared, negated=negated) for part in deepest_first], word, of_none)
        case Not(part):
            return condition_sql(part, declared, negated=not negated)
        case Compare(field, "!=", value):
            return condition_sql(And((Has(field), Not(Compare(field, "=", value)))), declared, negated=negated)
        case _:
            sql, values = _leaf(condition, declared)
            return (f"NOT coalesce({sql}, 0)" if negated else sql), values


def _depth(condition: Condition) -> int:
    match condition:
        case And(parts) | Or(parts):
            return 1 + max(map(_depth, parts), default=0)
        case Not(part):
            return _depth(part)
        case _:
            return 0


def _joined(parts: Sequence[Sql], word: str, of_none: str) -> Sql:
    """In groups, because SQLite limits how long a chain may be, too (1000 links, by default)."""
    if not parts:
        return of_none, []
    if len(parts) > _CHAIN:
        return _joined([_joined(some, word, of_none) for some in chunks(parts, _CHAIN)], word, of_none)
    return f"({f' {word} '.join(sql for sql, _ in parts)})", [each for _, values in parts for each in values]


def _leaf(leaf: Compare | In | Contains | Has, declared: Mapping[str, FieldKind]) -> Sql:
    place = place_of(leaf.field, declared)
    if place.startswith(METADATA):
        name = place[len(METADATA) :]
        test, values = _test(leaf, _TYPE, _ATOM, is_date=kind_in_metadata(name, declared) == "date")
        return _IN_METADATA.format(test), [name.encode("utf-8", "surrogatepass"), *values]
    of_path = ("'folded'", f"lookalike_place('{place}', i.root, i.key, i.uri)")
    return _test(leaf, *_OF_FILES.get(place, of_path), is_date=place == "modified")


def _test(leaf: Compare | In | Contains | Has, type_: str, atom: str, *, is_date: bool) -> Sql:
    """What a leaf says of one value, given as the SQL of its JSON type and of itself."""
    text = f"lookalike_folded({type_}, iif({type_} = 'text', CAST({atom} AS BLOB), {atom}))"
    moment = f"lookalike_moment({type_}, iif({type_} = 'text', CAST({atom} AS BLOB), {atom}))"
    match leaf:
        case Has():
            there = f"{moment} IS NOT NULL" if is_date else f"{type_} IN {_COMPARABLE} AND {atom} IS NOT NULL"
            return f"({there})", []
        case Contains(text=part):
            return f"instr({text}, ?) > 0", [folded(part)]
        case Compare(op=op, value=value):
            op_, values = op, (value,)
        case In(values=values):
            op_ = "="
    first = values[0] if values else ""
    if isinstance(first, Moments):
        moments = [each for each in values if isinstance(each, Moments)] if is_date else []
        tests = [_moments_test(moment, op_, each) for each in moments]
        return _joined(tests, "OR", "0")
    if isinstance(first, bool):
        return _joined([(f"{type_} = ?", ["true" if each else "false"]) for each in values if op_ == "="], "OR", "0")
    if isinstance(first, str):
        return _compared(text, op_, [folded(str(each)) for each in values])
    sql, numbers = _compared(atom, op_, [_number(each) for each in values])
    return f"({type_} IN ('integer', 'real') AND {sql})", numbers


def _compared(value: str, op: Operator, asked: Sequence[Any]) -> Sql:
    if len(asked) == 1:
        return f"{value} {op} ?", list(asked)
    return f"{value} IN ({', '.join('?' * len(asked))})", list(asked)


def _moments_test(moment: str, op: Operator, moments: Moments) -> Sql:
    first, behind = moments.first_ns, moments.behind_ns
    match op:
        case "=":
            return f"{moment} BETWEEN ? AND ?", [first, behind - 1]
        case "<" | ">=":
            return f"{moment} {op} ?", [first]
        case "<=":
            return f"{moment} < ?", [behind]
        case _:
            return f"{moment} >= ?", [behind]


def _number(value: Value) -> Any:
    """A number that SQLite takes: whole ones have 64 bits there."""
    assert isinstance(value, (int, float)), "of one type with the first"
    return value if isinstance(value, float) or -(2**63) <= value < 2**63 else float(value)


def _folded_json(type_: str, value: Any) -> bytes | None:
    """A value of JSON as it is compared as text; None for what is no value."""
    match type_:
        case "folded":
            return bytes(value) if value is not None else None
        case "text":
            return folded(_decoded(value))
        case "true" | "false":
            return folded(type_)
        case "integer" | "real":
            return folded(text_of(value))
        case _:
            return None


def _moment(type_: str, value: Any) -> int | None:
    if type_ == "moment":
        return int(value)
    return date_ns(_decoded(value)) if type_ == "text" else None


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace")
