"""Catalogues before a run: how each is read, what its fields are, and what a collection remembers of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.core.records import Skipped
from lookalike.engine.reports import CatalogueRead, ColumnRead
from lookalike.engine.sources import CATALOGUES_SETTING, remembered_options
from lookalike.images.catalogue import CatalogueSource
from lookalike.images.catalogue_plan import GROUP, CatalogueOptions, CataloguePlan, read_plan
from lookalike.store.records import CATALOGUE
from lookalike.store.tables import DECLARED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookalike.core.fields import FieldKind
    from lookalike.store.collection_store import Root, Store, Writer

TEXTS_SETTING = "text_fields"
"""Fields that are read for words."""
GROUP_SETTING = "group_by"
"""The field whose values say which pictures belong together; `GROUP` unless said."""


def planned(store: Store, root: Root, asked: CatalogueOptions | None) -> CatalogueSource:
    """A catalogue as it is to be read now. Raises SourceError, MissingExtra."""
    options = remembered_options(store, root)
    if asked is not None:
        options = asked.over(options)
    path = root.path.removeprefix(CATALOGUE)
    return CatalogueSource(path, options, read_plan(path, options))


def remember(store: Store, writer: Writer, root: Root, source: CatalogueSource) -> None:
    """Keep how a catalogue is read, and the kinds of its fields, for later runs and for filters."""
    plan = source.plan
    assert plan is not None, "a catalogue is remembered when it was planned"
    kept: dict[str, dict[str, Any]] = store.setting(CATALOGUES_SETTING, {})
    alive = {str(root.number) for root in store.roots()}
    records = {number: record for number, record in kept.items() if number in alive}
    records[str(root.number)] = {
        "options": source.options.as_dict(),
        "fields": plan.kinds,
        "texts": list(plan.texts),
    }
    said = {
        CATALOGUES_SETTING: records,
        DECLARED: _together(record["fields"] for record in records.values()),
        TEXTS_SETTING: list(dict.fromkeys(name for record in records.values() for name in record["texts"])),
        GROUP_SETTING: source.options.group_by or store.setting(GROUP_SETTING, GROUP),
    }
    for name, value in said.items():
        if value != store.setting(name):
            writer.set_setting(name, value)


def forget_unread(store: Store, writer: Writer, root: Root) -> None:
    """Let go of the root of a catalogue that could never be read: the user names it again when it can."""
    if str(root.number) not in store.setting(CATALOGUES_SETTING, {}):
        writer.remove_below(root.path)


def report_of(source: CatalogueSource) -> CatalogueRead:
    """What was found out about a catalogue, for a person."""
    plan = source.plan
    assert plan is not None, "a catalogue is told of when it was planned"
    return CatalogueRead(
        path=source.shown,
        format=plan.table.format,
        encoding=plan.table.encoding,
        delimiter=plan.table.delimiter,
        rows=plan.rows,
        columns=tuple(
            ColumnRead(each.name, each.field, each.kind, _role(plan, at), each.filled, each.unread, each.example)
            for at, each in enumerate(plan.columns)
        ),
    )


def unreadable(root: Root, reason: str) -> Skipped:
    """A source that cannot be read in this run: what is known of it stays."""
    return Skipped(root.path.decode("utf-8", "replace"), reason, "unreadable", b"", folder=True)


def _role(plan: CataloguePlan, at: int) -> str:
    roles = {plan.id: "id", plan.image: "picture", plan.title: "title"}
    return roles.get(at) or ("words" if plan.columns[at].field in plan.texts else "")


def _together(kinds: Iterable[dict[str, FieldKind]]) -> dict[str, FieldKind]:
    """The kinds of the fields of all catalogues: where two differ, numbers are fractions and all else is text."""
    together: dict[str, FieldKind] = {}
    for each in kinds:
        for name, kind in each.items():
            before = together.get(name, kind)
            wider: FieldKind = "float" if {before, kind} == {"int", "float"} else "text"
            together[name] = kind if before == kind else wider
    return together
