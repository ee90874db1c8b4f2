"""A run, a migration and compacting leave columns that serve; searches in a folder answer the same with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import lookalike
from lookalike.core.records import DecodeLimits
from lookalike.store import writer
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kept(pictures: Path, tmp_path: Path, monkeypatch):
    """A collection of some pictures that is large enough for columns."""
    monkeypatch.setattr(writer, "LEAST_ITEMS", 1)
    (pictures / "some").mkdir()
    for path in sorted(pictures.glob("*.png"))[:5]:
        path.rename(pictures / "some" / path.name)
    with lookalike.open(tmp_path / "c.lookalike", encoder=ToyEncoder()) as collection:
        assert len(in_folder(collection, pictures)) == 5
        yield collection


def in_folder(collection, pictures: Path) -> list[str]:
    for _ in collection.sync([pictures], workers=1, limits=DecodeLimits()):
        pass
    return sorted(hit.uri for hit in collection.search("red", k=100, folder=pictures / "some"))


def has_columns(collection) -> bool:
    with Store.open(collection.path) as store, store.snapshot() as snapshot:
        return snapshot.columns() is not None


def test_a_run_leaves_columns(kept, pictures):
    assert has_columns(kept)
    next((pictures / "some").iterdir()).unlink()
    assert len(in_folder(kept, pictures)) == 4
    assert has_columns(kept)


def test_compacting_leaves_columns(kept, pictures):
    kept.remove(pictures / "some")
    assert not has_columns(kept)
    kept.compact()
    assert has_columns(kept)
    assert not kept.search("red", k=100, folder=pictures / "some")


def test_a_migration_leaves_columns(kept, pictures):
    before = in_folder(kept, pictures)
    for _ in kept.migrate(ToyEncoder("toy-2")):
        pass
    assert has_columns(kept)
    assert in_folder(kept, pictures) == before
