"""What can be judged by its words: products or items, each with a text, from a catalogue or a collection.

Several pictures of one product are one thing, and so are several places of one picture. Its text is made by a template,
or is the first field that says something: title, caption, then the columns that are read for words.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset
from lookalike.engine.catalogues import TEXTS_SETTING
from lookalike.images.catalogue_plan import GROUP, CatalogueOptions
from lookalike.store.collection_store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lookalike.engine.text_preparation import TextPreparation

_USUAL = ("title", "caption")
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Thing:
    """`items`: what judgements call its pictures, the first one is shown; `uri`: of that; `text`: what is said."""

    items: tuple[str, ...]
    uri: str
    text: str


def things_of_catalogue(
    path: str | Path, prepared: TextPreparation, *, out: Path, options: CatalogueOptions | None = None
) -> list[Thing]:
    """The products of a table; their items are paths of pictures, from the folder of `out` where they lie below it.

    Raises SourceError when the table cannot be read or nothing in it has a picture and a text, MissingExtra.
    """
    from lookalike.images.catalogue import catalogue

    source = catalogue(path, options)
    assert source.plan is not None, "catalogue() plans"
    fields = [*_USUAL, *source.plan.texts]
    folder = os.path.join(os.path.abspath(out.parent), "")
    pictures = (
        (str(entry.metadata[GROUP]), entry.uri.removeprefix(folder), entry.uri, entry.metadata)
        for entry in source.assets()
        if isinstance(entry, Asset)
    )
    return _things(pictures, fields, prepared, os.fspath(path))


def things_of_collection(path: Path, prepared: TextPreparation) -> list[Thing]:
    """The items of a collection, called by their ids. Raises SourceError when no item has a text."""
    with Store.open(path, create=False) as store, store.snapshot() as snapshot:
        fields = [*_USUAL, *snapshot.setting(TEXTS_SETTING, [])]

        def pictures() -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
            for start in range(0, snapshot.count, _ROWS_AT_ONCE):
                for items in snapshot.items_of(range(start, min(start + _ROWS_AT_ONCE, snapshot.count))).values():
                    for item in items[:1]:
                        yield str(item.metadata.get(GROUP, item.id)), item.id, item.uri, item.metadata

        in_order = sorted(pictures(), key=lambda each: each[1])  # rows stand as decoding happened to end
        return _things(in_order, fields, prepared, str(path))


def _things(
    pictures: Iterable[tuple[str, str, str, Mapping[str, Any]]],
    fields: Sequence[str],
    prepared: TextPreparation,
    where: str,
) -> list[Thing]:
    """`pictures`: product, item, uri and metadata of each. Those without a text are passed over."""
    found: dict[str, Thing] = {}
    said: set[str] = set()
    for product, item, uri, metadata in pictures:
        said.update(metadata)
        before = found.get(product)
        if before is not None:
            found[product] = Thing((*before.items, item), before.uri, before.text)
            continue
        known = {name: _text(value) for name, value in metadata.items()}
        usual = {name: known[name] for name in fields if known.get(name)}
        text = " ".join(prepared.item_text(known if prepared.template else usual).split())
        if text:
            found[product] = Thing((item,), uri, text)
    if not found:
        raise SourceError(
            f"nothing in {where} has a text to compare questions with",
            hint=f"say which fields make it, as in --template '{{{min(said)}}}'; there are {', '.join(sorted(said))}"
            if said
            else "its items need a title, a caption or columns of words",
        )
    return list(found.values())


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
