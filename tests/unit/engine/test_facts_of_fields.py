"""What fields a collection has and what stands in them: the same by columns and without."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lookalike.core.conditions import Compare
from lookalike.core.fields import ITEM_FIELDS, PICTURE_FIELDS
from lookalike.engine.fields import FieldFacts, facts_of, fields_of
from lookalike.store.collection_store import Store
from stored_files import ENCODER, found

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.fsencode(os.path.join(os.path.abspath(os.sep), "pictures"))
METADATA = [
    {"price": 1, "colour": "red", "tags": ["sea", "sun"], "taken": "2024-05-03T10:00:00", "sold": True, "size": "M"},
    {"price": 2.5, "colour": "Red", "tags": ["sea"], "taken": "2023-01-01T00:00:00", "sold": False, "name": "Shirt"},
    {"price": 2, "colour": "red", "tags": [], "taken": "never", "sold": True, "size": "L", "deep": {"a": 1}},
    {"stock": None, "beside": {"x": 1}, "mixed": 5},
    {"mixed": "five", "rating": 4},
]


@pytest.fixture(params=[False, True], ids=["items", "columns"])
def snapshot(request, tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as store:
        with store.writer() as writer:
            root = writer.add_root(ROOT, is_file=False)
            space = writer.create_space(*ENCODER)
            writer.set_setting("fields", {"size": "text", "stock": "int"})
            files = [
                found(root, b"a/%d.JPG" % each, str(each), metadata=own, size=100 + each, id=f"item{each}")
                for each, own in enumerate(METADATA)
            ]
            writer.put(space, files)
            if request.param:
                assert writer.make_columns(least=1)
        with store.snapshot() as taken:
            assert (taken.columns() is not None) == request.param
            yield taken


def test_every_field_has_a_name_and_a_kind(snapshot):
    fields = fields_of(snapshot)
    assert fields == {
        **{name: kind for name, kind in ITEM_FIELDS.items() if name != "size"},
        **PICTURE_FIELDS,
        "file.size": "int",
        "size": "text",
        "stock": "int",
        "price": "float",
        "colour": "text",
        "sold": "bool",
        "metadata.name": "text",
        "mixed": "text",
    } | ({"deep": "texts"} if "deep" in fields else {})


def test_facts_tell_what_stands_in_them(snapshot):
    facts = {each.name: each for each in facts_of(snapshot)}
    assert facts["price"] == FieldFacts("price", "float", 3, 1.0, 2.5)
    assert facts["rating"] == FieldFacts("rating", "int", 1, 4, 4)
    assert facts["taken"] == FieldFacts("taken", "date", 2, "2023-01-01T00:00:00+00:00", "2024-05-03T10:00:00+00:00")
    assert facts["file.size"] == FieldFacts("file.size", "int", 5, 100, 104)
    assert facts["colour"] == FieldFacts("colour", "text", 3, frequent=(("red", 2), ("Red", 1)), distinct=2)
    assert facts["tags"] == FieldFacts("tags", "texts", 2, frequent=(("sea", 2), ("sun", 1)), distinct=2)
    assert facts["sold"] == FieldFacts("sold", "bool", 3, frequent=(("yes", 2), ("no", 1)), distinct=2)
    assert facts["size"] == FieldFacts("size", "text", 2, frequent=(("L", 1), ("M", 1)), distinct=2)
    assert facts["mixed"] == FieldFacts("mixed", "text", 2, frequent=(("5", 1), ("five", 1)), distinct=2)
    assert facts["extension"] == FieldFacts("extension", "text", 5, frequent=(("jpg", 5),), distinct=1)
    folder = os.path.join(os.fsdecode(ROOT), "a")
    assert facts["folder"] == FieldFacts("folder", "text", 5, frequent=((folder, 5),), distinct=1)
    assert [facts[name].items for name in ("id", "path", "name", "width", "metadata.name")] == [5, 5, 5, 5, 1]
    assert {"stock", "beside", "lens"}.isdisjoint(facts)


def test_facts_are_ready_for_json(snapshot):
    told = next(each for each in facts_of(snapshot) if each.name == "sold").as_dict()
    frequent = [{"value": "yes", "items": 2}, {"value": "no", "items": 1}]
    assert told == {
        "name": "sold",
        "kind": "bool",
        "items": 3,
        "least": None,
        "most": None,
        "distinct": 2,
        "frequent": frequent,
    }


def test_facts_under_a_condition_are_those_of_the_items_that_meet_it(snapshot):
    facts = {each.name: each for each in facts_of(snapshot, Compare("sold", "=", True))}
    assert facts["price"] == FieldFacts("price", "float", 2, least=1.0, most=2.0)
    assert facts["colour"] == FieldFacts("colour", "text", 2, frequent=(("red", 2),), distinct=1)
    assert facts["tags"] == FieldFacts("tags", "texts", 1, frequent=(("sea", 1), ("sun", 1)), distinct=2)
    assert facts["sold"] == FieldFacts("sold", "bool", 2, frequent=(("yes", 2),), distinct=1)
    assert facts["path"].items == 2
    assert "mixed" not in facts
    assert facts_of(snapshot, Compare("price", ">", 100)) == []


def test_as_many_values_are_told_as_are_asked_for_and_of_the_fields_that_are(snapshot):
    (tags,) = facts_of(snapshot, most=1, names=["tags"])
    assert tags == FieldFacts("tags", "texts", 2, frequent=(("sea", 2),), distinct=2)
