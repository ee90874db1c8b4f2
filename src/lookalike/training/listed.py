"""The pictures of a catalogue or of a folder of classes, each once, with what is said about it.

A catalogue is read as `lookalike index` reads it (`images.catalogue`); a picture in several rows has the texts of all
of them. A folder's class folders are labels, and there are no texts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import SourceError
from lookalike.core.records import Skipped
from lookalike.engine.text_preparation import TextPreparation
from lookalike.images.catalogue_plan import GROUP, CatalogueOptions, field_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lookalike.core.protocols import Source
    from lookalike.core.records import Asset

LABEL_NAMES = ("label", "class", "category", "категория")
"""What a column of labels is called, unless said."""


@dataclass(slots=True)
class Listed:
    """One picture. `said`: for each product that shows it, by its id, the texts about it, each once."""

    source: Source
    asset: Asset
    said: dict[str, list[str]] = field(default_factory=dict)
    label: str | None = None

    @property
    def texts(self) -> list[str]:
        """All that is said about it, each once."""
        return list(dict.fromkeys(text for texts in self.said.values() for text in texts))


def list_pictures(
    path: Path,
    *,
    image_column: str | None = None,
    text_columns: Sequence[str] = (),
    label_column: str | None = None,
    prepared: TextPreparation | None = None,
) -> tuple[list[Listed], list[Skipped]]:
    """All pictures of `path`, and what of it cannot be used. No picture is opened.

    Columns are found by their usual names unless said. `prepared`: what is done to texts; its template makes one text
    of a row in place of those columns. Raises SourceError when `path` cannot be read, lacks a column that was named, or
    names no picture that is there.
    """
    if path.is_dir():
        from lookalike.evaluation.judgements import read_labels

        judged = read_labels(path)
        return [Listed(each.source, each.asset, label=each.sayings[0]) for each in judged.pictures], [*judged.skipped]
    options = CatalogueOptions(image_column=image_column, text_columns=tuple(text_columns))
    return _rows(path, options, label_column, prepared or TextPreparation())


def _rows(
    path: Path, options: CatalogueOptions, label_column: str | None, prepared: TextPreparation
) -> tuple[list[Listed], list[Skipped]]:
    from lookalike.evaluation.judged_pairs import refuse_unconfirmed
    from lookalike.images.catalogue import catalogue

    refuse_unconfirmed(path)
    source = catalogue(path, options)
    assert source.plan is not None, "catalogue() plans"
    fields = [column.field for column in source.plan.columns]
    label = _label_field(path, fields, label_column)
    if missing := [name for name in prepared.fields() if name not in fields]:
        raise _no_column(path, missing[0], fields)
    listed: dict[str, Listed] = {}
    skipped: list[Skipped] = []
    for entry in source.assets():
        if isinstance(entry, Skipped):
            skipped.append(entry)
            continue
        one = listed.setdefault(entry.uri, Listed(source, entry))
        said = one.said.setdefault(str(entry.metadata[GROUP]), [])
        said += [text for text in _texts(entry, source.plan.texts, prepared) if text not in said]
        if label is not None and one.label is None and entry.metadata.get(label) not in (None, ""):
            one.label = str(entry.metadata[label])
    if not listed:
        first = f"{skipped[0].uri}: {skipped[0].reason}" if skipped else "it has no rows"
        raise SourceError(f"{os.fspath(path)} names no picture that is there", hint=first)
    return list(listed.values()), skipped


def _label_field(path: Path, fields: Sequence[str], said: str | None) -> str | None:
    if said is None:
        return next((name for name in LABEL_NAMES if name in fields), None)
    if field_name(said) not in fields:
        raise _no_column(path, said, fields)
    return field_name(said)


def _no_column(path: Path, name: str, fields: Sequence[str]) -> SourceError:
    return SourceError(f"{os.fspath(path)} has no column {name}", hint=f"its columns are: {', '.join(fields)}")


def _texts(entry: Asset, fields: Sequence[str], prepared: TextPreparation) -> list[str]:
    if prepared.template:
        texts = [prepared.item_text({name: str(value) for name, value in entry.metadata.items()})]
    else:
        values: list[Any] = [entry.metadata.get(name) for name in fields]
        texts = [prepared.query_text(str(value)) for value in values if value is not None]
    return [text for text in (" ".join(each.split()) for each in texts) if text]
