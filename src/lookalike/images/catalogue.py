"""A catalogue as a source of pictures: a table with a row for a product, in which cells name its pictures.

A cell names a picture by its path (relative ones begin where the table lies), by an address on the web (fetched only
where that is allowed, guarded), several of them in a list, or a folder of them. The key of an entry is the product's
id, then ID/2, ID/3, ... for its further pictures, in one row or in several; each carries the row's cells as metadata
and the product's id as "group". An empty cell of a row that goes on with the product of the row before says what that
row said. A row that cannot be read, has no id or picture, and a picture that is not there are `Skipped`, with the
number of the row.

Promises: rows are streamed; what is kept of each is eight bytes, to know ids that come again.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.images.catalogue_plan import GROUP, CatalogueOptions, CataloguePlan, read_plan
from lookalike.images.column_kinds import reader
from lookalike.images.folder import folder, open_regular
from lookalike.images.seen_ids import SeenIds
from lookalike.images.tables import BadRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_URL = re.compile(r"https?://", re.IGNORECASE)
_BETWEEN_URLS = re.compile(r"[|\s]+|[,;]\s*(?=https?://)", re.IGNORECASE)
_BETWEEN_NAMES = ("|", ";", "\n", ",")


def catalogue(path: bytes | str | os.PathLike[str], options: CatalogueOptions | None = None) -> CatalogueSource:
    """The pictures of a table; it is read once for the kinds of its columns. Raises SourceError, MissingExtra."""
    place = os.path.abspath(os.path.expanduser(os.fsencode(path)))
    options = options or CatalogueOptions()
    return CatalogueSource(place, options, read_plan(place, options))


@dataclass(frozen=True, slots=True)
class CatalogueSource:
    """See `catalogue`. `path` is absolute. Without a plan it can only `open`."""

    path: bytes
    options: CatalogueOptions = field(default_factory=CatalogueOptions)
    plan: CataloguePlan | None = None

    @property
    def shown(self) -> str:
        """The path as a person is told it."""
        return os.fsdecode(self.path)

    def assets(self, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Asset | Skipped]:
        """An entry for each picture that a row names, in the order of the rows. Raises SourceError."""
        return (entry for _, entry in self.numbered(stop=stop))

    def numbered(self, *, stop: Callable[[], bool] = lambda: False) -> Iterator[tuple[int, Asset | Skipped]]:
        """The entries, each with the position of its row: 0 for the first that is no header. Raises SourceError."""
        return _Rows(self, self.plan or read_plan(self.path, self.options)).entries(stop)

    def open(self, asset: Asset) -> BinaryIO:
        """The picture's bytes. Raises OSError, also when it lies on the web and cannot be had."""
        if not _URL.match(asset.uri):
            return open_regular(os.fsencode(asset.uri))
        from lookalike.images.fetch import fetch_picture

        if not self.options.allow_url:
            raise PermissionError(errno.EACCES, "nothing is fetched from the web unless --allow-url says so", asset.uri)
        try:
            return BytesIO(fetch_picture(asset.uri))
        except SourceError as error:
            raise OSError(errno.EIO, str(error), asset.uri) from error

    def stamp(self, asset: Asset) -> tuple[int, int]:
        """Size and time of change as they are now; a picture on the web is taken to be as it was. Raises OSError."""
        if _URL.match(asset.uri):
            return asset.size, asset.modified_ns
        found = os.stat(os.fsencode(asset.uri))
        return found.st_size, found.st_mtime_ns


class _Rows:
    """One pass over the rows."""

    def __init__(self, source: CatalogueSource, plan: CataloguePlan) -> None:
        self._plan = plan
        self._path = os.fsdecode(source.path)
        self._folder = os.path.dirname(self._path)
        self._takes_url = source.options.allow_url or source.options.list_url
        self._fields = [(at, plan.columns[at].field, reader(plan.columns[at])) for at in plan.kept]
        self._title = None if plan.title is None else plan.columns[plan.title].field
        self._seen = SeenIds()
        self._before: tuple[str, dict[str, Any]] = ("", {})
        """Id and values of the row before."""

    def entries(self, stop: Callable[[], bool]) -> Iterator[tuple[int, Asset | Skipped]]:
        names = [column.name for column in self._plan.columns]
        for position, row in enumerate(self._plan.table.rows()):
            if stop():
                return
            if isinstance(row, BadRow):
                key = b"" if row.rest_lost else None
                bad = Skipped(self._path, f"row {row.number}: {row.reason}", "bad-row", key, folder=row.rest_lost)
                yield position, bad
                continue
            number, cells = row
            listed = [cells.get(name) for name in names] if isinstance(cells, dict) else cells
            yield from ((position, entry) for entry in self._entries(number, listed))

    def _entries(self, number: int, cells: Sequence[Any]) -> Iterator[Asset | Skipped]:
        """The pictures of one row."""
        image = cells[self._plan.image]
        id = _id(image if self._plan.id is None else cells[self._plan.id])
        if not id:
            yield Skipped(self._path, f"row {number} has no id: its product is left out", "no-id")
            return
        values = self._values(id, cells)
        there = False
        for uri, found in self._pictures(image):
            there = True
            key = self._seen.key(id).encode()
            if isinstance(found, _Why):
                yield Skipped(uri, f"row {number} (id {id}): {found.reason}", found.code, key)
            else:
                yield Asset(key, uri, *found, values)
        if not there and id in self._seen:
            why = f"row {number} names no picture; its product {id} is in by another row"
            yield Skipped(self._path, why, "no-picture")
        elif not there:
            why = f"row {number} (id {id}) names no picture"
            yield Skipped(self._path, why, "no-picture", self._seen.key(id).encode())

    def _values(self, id: str, cells: Sequence[Any]) -> dict[str, Any]:
        """What a row says, cells that say nothing left out."""
        values = {}
        for at, name, read in self._fields:
            value = cells[at] if read is None or cells[at] is None else read(cells[at])
            if value is not None and value != "":
                values[name] = value
        if self._title is not None and self._title in values:
            values["title"] = str(values[self._title])
        if self._before[0] == id:
            values = {**self._before[1], **values}
        values[GROUP] = id
        self._before = id, values
        return values

    def _pictures(self, cell: Any) -> Iterator[tuple[str, tuple[int, int] | _Why]]:
        """Address of each picture of a cell, with size and time of change, or why it cannot be taken."""
        for name in [cell] if isinstance(cell, str) else cell if isinstance(cell, list) else ():
            if not isinstance(name, str) or not name.strip():
                continue
            if _URL.match(name.lstrip()):
                on_web = (0, 0) if self._takes_url else _ON_WEB
                yield from ((each, on_web) for each in _BETWEEN_URLS.split(_nameable(name).strip()) if each)
                continue
            path, status = self._there(_nameable(name))
            if status is None and (several := _several(name)):
                yield from self._pictures(several)
            elif status is None:
                yield path, _NOT_THERE
            elif stat.S_ISDIR(status.st_mode):
                yield from _in_folder(path)
            else:
                yield path, (status.st_size, status.st_mtime_ns)

    def _there(self, name: str) -> tuple[str, os.stat_result | None]:
        """Where a name leads, and what is there; without blanks around it and as Windows writes it, if need be."""
        for spelled in dict.fromkeys((name, name.strip(), name.strip().replace("\\", "/"))):
            path = os.path.join(self._folder, spelled.removeprefix("file://"))
            if os.sep != "/" or "/." in path or "//" in path:
                path = os.path.normpath(path)
            try:
                return path, os.stat(path)
            except (OSError, ValueError):
                continue
        return path, None


class _Why(NamedTuple):
    """Why a picture that a cell names cannot be taken."""

    code: str
    reason: str


_NOT_THERE = _Why("vanished", "its picture is not there")
_ON_WEB = _Why("on-web", "its picture lies on the web; --allow-url fetches such pictures")
_EMPTY_FOLDER = _Why("no-picture", "its folder holds no pictures")


def _id(cell: Any) -> str:
    """The id that a cell says, "" for none. Numbers with gaps beside them come as fractions: 12.0 is 12."""
    if cell is None or isinstance(cell, list | dict):
        return ""
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return text.strip().encode("utf-8", "replace").decode()


def _nameable(name: str) -> str:
    """A name that can be a path: halves of characters, which JSON can write, become question marks."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return name.encode("utf-8", "replace").decode()
    return name


def _several(cell: str) -> list[str] | None:
    """The names in a cell that holds a list, as JSON or with marks between them; None when it is one name."""
    if cell.lstrip().startswith("["):
        with suppress(ValueError):
            return [str(each) for each in json.loads(cell)]
    mark = next((each for each in _BETWEEN_NAMES if each in cell), None)
    return cell.split(mark) if mark else None


def _in_folder(path: str) -> Iterator[tuple[str, tuple[int, int] | _Why]]:
    there = False
    for found in folder(path).assets():
        there = True
        if isinstance(found, Skipped):
            yield found.uri, _Why(found.code, found.reason)
        else:
            yield found.uri, (found.size, found.modified_ns)
    if not there:
        yield path, _EMPTY_FOLDER
