"""What a filter lets pass is the same by columns, by SQL and by hand, for all kinds of items and conditions."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from filter_oracle import DECLARED, drawn_condition, drawn_metadata, is_met
from lookalike.store import column_making
from lookalike.store.collection_store import Store
from lookalike.store.filter_columns import NotInColumns, chosen_by
from lookalike.store.filters import rows_where
from lookalike.store.tables import declared_fields
from stored_files import ENCODER, found

if TYPE_CHECKING:
    from pathlib import Path

ITEMS, CONDITIONS = 200, 150
ROOT = os.fsencode(os.path.join(os.path.abspath(os.sep), "Photos"))


def filled(store: Store, items: int, seed: int) -> None:
    """Items with drawn metadata, one in ten a copy of another, and their columns."""
    draw = random.Random(seed)
    names = ["photo {}.jpg", "Пляж {}.PNG", "{}", "sub/Я/IMG_{}.JPG", "x\udcff{}.tar.gz"]
    with store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        file = writer.add_root(os.path.dirname(ROOT) + b"alone.jpg", is_file=True)
        table = writer.add_root(b"catalogue:/photos/table.csv", is_file=True)
        space = writer.create_space(*ENCODER)
        writer.set_setting("fields", DECLARED)
        files = []
        for one in range(items):
            of_bytes, own = drawn_metadata(draw, one)
            place = (file, b"") if one == 0 else (root, os.fsencode(draw.choice(names).format(one)))
            place = (table, b"Item-%d" % one) if one % 10 == 5 else place
            content = str(draw.randrange(items) if draw.random() < 0.1 else -one)
            facts = {"size": draw.choice([40, 1000, 2**40]), "width": draw.choice([None, 40, 5]), "id": f"Item-{one}"}
            facts |= {
                "modified_ns": draw.choice([1_714_720_000, -1, 0]) * 10**9,
                "format": draw.choice(["", "PNG", "JPEG"]),
            }
            if place[0] is table:
                facts["uri"] = draw.choice(["https://example.org/Photos/{}.jpg?x", "/photos/Я/{}.JPG"]).format(one)
            files.append(found(*place, content, metadata=own, picture_metadata=of_bytes, **facts))
        for start in range(0, items, 500):
            writer.put(space, files[start : start + 500])
        assert writer.make_columns(least=1)


def disagreements(store: Store, conditions: int, seed: int) -> tuple[list[str], int]:
    """Conditions that are not met alike, and how many the columns answered."""
    draw = random.Random(seed)
    wrong, by_columns = [], 0
    with store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
        connection, space, roots = snapshot.connection, snapshot.space, snapshot._roots
        columns = snapshot.columns()
        declared = declared_fields(connection)
        for _ in range(conditions):
            condition = drawn_condition(draw)
            met = {item.id for its in items.values() for item in its if is_met(condition, item)}
            by_hand = [any(item.id in met for item in items[row]) for row in range(snapshot.count)]
            answers = {"sql": rows_where(connection, space, roots, None, condition).tolist()}
            try:
                answers["columns"] = columns.row_mask(chosen_by(columns, condition, declared)).tolist()
                by_columns += 1
            except NotInColumns:
                pass
            answers["mask"] = snapshot.where_mask(condition).tolist()
            some = sorted({item.id for its in items.values() for item in its})[:50]
            if snapshot.where_items(condition, some) != met & set(some):
                wrong.append(f"items: {condition}")
            wrong += [f"{name}: {condition}" for name, answer in answers.items() if answer != by_hand]
    return wrong, by_columns


@pytest.mark.parametrize("plain", [False, True])
def test_columns_sql_and_a_loop_over_the_items_agree(tmp_path: Path, monkeypatch, plain):
    """With words as codes, and where they are too many for that."""
    if plain:
        monkeypatch.setattr(column_making, "WORDS_BYTES", 3000)
    with Store.open(tmp_path / "c.lookalike") as store:
        filled(store, ITEMS, seed=plain)
        wrong, by_columns = disagreements(store, CONDITIONS, seed=plain)
        assert wrong == []
        assert by_columns > CONDITIONS / 4
