"""`verify` finds every kind of damage and tells it in a sentence."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.core.errors import CollectionDamaged
from lookalike.store import rows
from lookalike.store.collection_store import Store
from stored_files import DIM, filled, rows_path

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.fsencode(os.path.abspath("/pictures"))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows, "SEGMENT_BYTES", 4 * 2 * DIM)
    with Store.open(tmp_path / "c.lookalike") as opened:
        filled(opened, {b"%02d.png" % number: str(number) for number in range(20)}, ROOT)
        yield opened


def statement(store: Store, sql: str) -> None:
    with closing(sqlite3.connect(store.path / "collection.sqlite")) as connection, connection:
        connection.execute(sql)


def test_a_whole_collection_has_no_problem(store):
    assert list(store.verify()) == []


def test_a_changed_byte_is_found_in_its_segment(store):
    file = rows_path(store.path, 0)
    content = bytearray(file.read_bytes())
    content[rows.HEADER_BYTES + 9 * 2 * DIM] ^= 1
    file.write_bytes(content)
    assert list(store.verify()) == ["the vectors of toy are damaged: the checksum of rows 8 to 11 does not hold"]


def test_a_missing_or_short_file_is_found(store):
    file = rows_path(store.path, 0)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert "published" in "".join(store.verify())
    file.unlink()
    assert "missing" in "".join(store.verify())


def test_vectors_without_unit_length_are_found(store):
    with store.snapshot() as snapshot:
        changed = np.array(snapshot.rows)
        changed[5] = 0
        changed[6] = np.nan
    header = rows_path(store.path, 0).read_bytes()[: rows.HEADER_BYTES]
    rows_path(store.path, 0).write_bytes(header + changed.tobytes())
    digest = rows.checksum(changed[4:8].tobytes())
    statement(store, f"UPDATE segments SET checksum = x'{digest.hex()}' WHERE first = 4")
    assert list(store.verify()) == ["2 vectors of toy have no unit length, the first at row 5"]


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("DELETE FROM vectors WHERE row = 3", "20 rows and 19 pictures"),
        ("UPDATE vectors SET row = 100 WHERE row = 3", "20 rows and 20 pictures"),
        ("DELETE FROM vectors WHERE row = 3", "1 pictures have no vector"),
        ("DELETE FROM segments WHERE first = 4", "do not cover"),
        ("UPDATE pictures SET items = 2 WHERE number = 4", "wrong number of items"),
        ("UPDATE contents SET picture = 7 WHERE picture = 8", "another picture"),
        ("DELETE FROM roots", "points to nothing in roots"),
    ],
)
def test_tables_that_contradict_each_other_are_found(store, sql, sentence):
    statement(store, sql)
    assert sentence in "\n".join(store.verify())


def test_damage_inside_the_database_is_told(store):
    store.close()
    file = store.path / "collection.sqlite"
    content = bytearray(file.read_bytes())
    for page in range(5, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = os.urandom(64)
    file.write_bytes(content)
    problems: list[str] = []
    try:
        with Store.open(store.path) as damaged:
            problems = list(damaged.verify())
    except CollectionDamaged as error:
        problems = [str(error)]
    assert problems


def test_a_space_that_goes_while_it_waits_for_its_turn_is_no_problem(store):
    file = rows_path(store.path, 0)
    file.write_bytes(file.read_bytes()[:-1] + b"\x77")
    with store.writer() as writer:
        other = writer.create_space("other-0123456789ab", "other", DIM)
    problems = store.verify()
    assert "checksum" in next(problems)
    with store.writer() as writer:
        writer.drop_space(other)
    assert list(problems) == []
