"""How a catalogue is read: which column is the id, which names the pictures, what kind each of them is.

What is not said is found out: roles by the names that shops and photo programs give to columns, kinds by all cells.
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from lookalike.core.errors import SourceError
from lookalike.images.column_kinds import ColumnPlan, ColumnScan
from lookalike.images.tables import BadRow, Table, open_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lookalike.core.fields import FieldKind

GROUP = "group"
"""The field that says which product a picture belongs to."""
KINDS: tuple[FieldKind, ...] = ("int", "float", "bool", "text", "date", "texts")
_ID_NAMES = ("id", "sku", "handle", "product_id", "item_id", "article", "code", "артикул")
_IMAGE_NAMES = (
    *("image", "file", "filename", "file_name", "image_path", "image_file", "path", "picture", "photo", "img"),
    *("image_src", "image_link", "image_url", "images", "main_image", "url", "фото"),
)
_TEXT_NAMES = ("title", "name", "product_name", "description", "caption", "название", "описание")
_NAMED = 20
"""Columns named in an error."""


@dataclass(frozen=True, slots=True)
class CatalogueOptions:
    """How a catalogue is read; what is not said is found out. `types`: (column, kind) as said by the user.

    Columns are named as the table does, or as its fields are called. `group_by`: the field that says which pictures
    belong together in the collection; each product's own ones unless said. `list_url`: pictures on the web are
    entries though they are not fetched, because their vectors are at hand.
    """

    id_column: str | None = None
    image_column: str | None = None
    title_column: str | None = None
    text_columns: tuple[str, ...] = ()
    types: tuple[tuple[str, FieldKind], ...] = ()
    group_by: str | None = None
    allow_url: bool = False
    list_url: bool = False
    encoding: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, for `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CatalogueOptions:
        """What `as_dict` gave, also after JSON."""
        types = tuple((str(name), cast("FieldKind", kind)) for name, kind in values.get("types", ()))
        given = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        return cls(**{**given, "text_columns": tuple(values.get("text_columns", ())), "types": types})

    def over(self, earlier: CatalogueOptions) -> CatalogueOptions:
        """These options, with `earlier` ones where these say nothing."""
        said = {name: value for name in self.__dataclass_fields__ if (value := getattr(self, name))}
        types = {**dict(earlier.types), **dict(self.types)}
        return replace(earlier, **{**said, "types": tuple(types.items())})


@dataclass(frozen=True, slots=True)
class CataloguePlan:
    """How a table is read, found out from all of it; `rows` it has.

    `id`, `image` and `title` are positions among `columns`: without an id, the picture's own name is it. `texts` are
    fields that are read for words.
    """

    table: Table
    columns: tuple[ColumnPlan, ...]
    id: int | None
    image: int
    title: int | None
    texts: tuple[str, ...]
    rows: int

    @property
    def kept(self) -> list[int]:
        """Positions of the columns that become fields; the id is one already, under its own name."""
        return [at for at, each in enumerate(self.columns) if at != self.image and (at, each.field) != (self.id, "id")]

    @property
    def kinds(self) -> dict[str, FieldKind]:
        """The fields of its items, with their kinds."""
        return {**{self.columns[at].field: self.columns[at].kind for at in self.kept}, GROUP: "text"}


def read_plan(path: bytes, options: CatalogueOptions) -> CataloguePlan:
    """Find out how to read a table. Raises SourceError where a column is missing or cannot be told, MissingExtra."""
    table = open_table(path, encoding=options.encoding)
    scans, rows = _scanned(table, {field_name(name): kind for name, kind in options.types})
    names = [scan.name for scan in scans]
    fields = field_names(names)
    find = _Finder(os.fsdecode(path), names, fields)
    for name, _ in options.types:
        find.said(name)
    image = find.role(options.image_column, _IMAGE_NAMES)
    if image is None:
        raise SourceError(
            f"{os.fsdecode(path)}: which column names the pictures? It has {', '.join(names[:_NAMED]) or 'none'}",
            hint="say it: --image-column NAME",
        )
    comma = table.delimiter not in {"", ","}
    columns = [scan.plan(name, decimal_comma=comma) for scan, name in zip(scans, fields, strict=True)]
    id, title = find.role(options.id_column, _ID_NAMES), find.role(options.title_column, ())
    for role in {id, image} - {None}:  # what it is called by is text, whatever it looks like
        assert role is not None
        columns[role] = replace(columns[role], kind="text", way="", unread=0)
    texts = [find.said(name) for name in options.text_columns] or find.all_called(_TEXT_NAMES)
    return CataloguePlan(table, tuple(columns), id, image, title, tuple(fields[at] for at in texts), rows)


def field_name(column: str) -> str:
    """What filters call a column: lower case, all that is no letter or digit an underscore."""
    name = re.sub(r"\W+", "_", column.strip().lower()).strip("_")
    return f"column_{name}" if name[:1].isdigit() else name


def field_names(columns: Sequence[str]) -> list[str]:
    """A name for each column, no two the same."""
    names: list[str] = []
    for position, column in enumerate(columns, start=1):
        name = wanted = field_name(column) or f"column_{position}"
        number = 2
        while name in names:
            name, number = f"{wanted}_{number}", number + 1
        names.append(name)
    return names


class _Finder:
    """Finds columns by what people call them."""

    def __init__(self, path: str, names: Sequence[str], fields: Sequence[str]) -> None:
        self._path = path
        self._names = names
        self._fields = fields

    def said(self, name: str) -> int:
        """The position of a column that the user named. Raises SourceError."""
        if name in self._names:
            return self._names.index(name)
        if field_name(name) in self._fields:
            return self._fields.index(field_name(name))
        raise SourceError(
            f"{self._path} has no column {name}", hint=f"its columns are: {', '.join(self._names[:_NAMED])}"
        )

    def role(self, name: str | None, usual: Sequence[str]) -> int | None:
        """The column of a role: the one that was named, else the first that is called as usual."""
        if name is not None:
            return self.said(name)
        return next((self._fields.index(each) for each in usual if each in self._fields), None)

    def all_called(self, usual: Sequence[str]) -> list[int]:
        """All columns that are called as usual."""
        return [self._fields.index(each) for each in usual if each in self._fields]


def _scanned(table: Table, said: Mapping[str, FieldKind]) -> tuple[list[ColumnScan], int]:
    """Every column with what its cells are, and how many rows there are; Parquet says kinds without being read."""
    typed = table.format in {"JSONL", "Parquet"}
    scans: dict[int | str, ColumnScan] = {
        at: ColumnScan(name, said.get(field_name(name)), table.kinds[at] if table.kinds else None, typed)
        for at, name in enumerate(table.columns)
    }
    is_told = bool(table.kinds) and not said
    rows = 0
    for row in table.rows():
        rows += 1
        if isinstance(row, BadRow):
            continue
        for name, cell in _cells(row[1]):
            scan = scans.get(name)
            if scan is None:
                scan = scans[name] = ColumnScan(str(name), said.get(field_name(str(name))), typed=typed)
            scan.see(cell)
        if is_told:
            break
    return list(scans.values()), table.count if is_told and table.count is not None else rows


def _cells(row: Any) -> Iterator[tuple[int | str, Any]]:
    yield from row.items() if isinstance(row, dict) else enumerate(row)
