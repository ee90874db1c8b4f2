"""Whatever is written for a filter, it is answered by columns and SQL alike, or refused by a FilterError."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from hostile_filters import INJECTIONS, drawn_filters
from lookalike.core.errors import FilterError
from lookalike.engine.fields import fields_of
from lookalike.engine.filter_language import parse, unparse
from lookalike.store.collection_store import Store
from lookalike.store.filters import rows_where
from stored_files import ENCODER, found

if TYPE_CHECKING:
    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind

FILTERS = 10_000
ASKED = 25
"""One in so many of those that can be understood is asked of a collection as well."""
SECRET = "secret-of-somebody-else"
ROOT = os.fsencode(os.path.join(os.path.abspath(os.sep), "pictures"))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store.open(tmp_path_factory.mktemp("hostile") / "c.lookalike") as opened:
        own = [
            {"price": 40, "colour": "red", "tags": ["sea", SECRET], "taken": "2024-05-03"},
            {"price": 60.5, "colour": SECRET},
            {"colour": "pink"},
        ]
        with opened.writer() as writer:
            root = writer.add_root(ROOT, is_file=False)
            space = writer.create_space(*ENCODER)
            files = [found(root, b"%d.png" % one, str(one), metadata=each) for one, each in enumerate(own)]
            writer.put(space, files)
            writer.set_setting("password", SECRET)
            assert writer.make_columns(least=1)
        yield opened


def understood(text: str, fields: dict[str, FieldKind]) -> Condition | None:
    """The condition; None for a filter that is refused, as it should be."""
    refused: list[FilterError] = []
    try:
        return parse(text, fields)
    except FilterError as error:
        refused.append(error)
    (error,) = refused
    assert 0 <= error.position <= len(text)
    assert SECRET not in f"{error} {error.hint}"
    assert len(str(error)) < 400
    return None


def answers(store: Store, text: str) -> tuple[list[bool], list[bool]] | None:
    """What columns and SQL let pass; None for a filter that is refused."""
    with store.snapshot() as snapshot:
        condition = understood(text, fields_of(snapshot))
        if condition is None:
            return None
        by_sql = rows_where(snapshot.connection, snapshot.space, snapshot._roots, None, condition)
        return snapshot.where_mask(condition).tolist(), by_sql.tolist()


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_injections_are_values_or_refused_and_change_nothing(store, text):
    before = (store.counts(), list(store.verify()))
    found = answers(store, text)
    if found is not None:
        by_columns, by_sql = found
        assert by_columns == by_sql
        meant = "has price" in text or text.startswith("taken > -")
        assert meant or not any(by_columns), "what stands in a value is never a condition"
    assert (store.counts(), list(store.verify())) == before


def test_ten_thousand_hostile_filters_are_answered_or_refused(store):
    count = 0
    with store.snapshot() as snapshot:
        fields = fields_of(snapshot)
    for text in drawn_filters(random.Random(1), FILTERS):
        condition = understood(text, fields)
        if condition is None:
            continue
        assert parse(unparse(condition), fields) == condition
        count += 1
        if count % ASKED == 0:
            by_columns, by_sql = answers(store, text)
            assert by_columns == by_sql
    assert count > FILTERS / 100
