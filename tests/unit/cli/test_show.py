"""`show` tells all about one item, `fields` what all items have; `search` adds and subtracts."""

from __future__ import annotations

import json
import os
import shutil

import lookalike

SHOW_KEYS = ["id", "uri", "size", "modified", "width", "height", "format", "offline", "copies", "metadata"]
FIELD_KEYS = ["name", "kind", "items", "least", "most", "distinct", "frequent"]


def first_hit(call, *query):
    return call("search", *query, "-k", 1, "--json").json["hits"][0]


def test_an_item_is_shown_by_its_id_and_by_its_path(call, indexed):
    hit = first_hit(call, "red")
    by_id = call("show", hit["id"], "--json").json
    assert list(by_id) == SHOW_KEYS
    assert call("show", hit["uri"], "--json").json == by_id
    assert by_id["uri"] == hit["uri"]
    assert (by_id["width"], by_id["size"]) == (hit["width"], os.path.getsize(hit["uri"]))
    assert by_id["modified"].endswith("+00:00")


def test_for_a_person_every_fact_has_a_line(call, indexed):
    hit = first_hit(call, "red")
    lines = dict(line.split(maxsplit=1) for line in call("show", hit["id"]).out.splitlines())
    assert lines["id"] == hit["id"]
    assert lines["uri"] == hit["uri"]
    assert lines["format"] in {"PNG", "JPEG"}
    assert "offline" not in lines


def test_copies_are_named(call, pictures, colour_encoder, tmp_path, monkeypatch):
    path = min(pictures.iterdir())
    shutil.copy(path, pictures / "copy.png")
    monkeypatch.setenv("LOOKALIKE_COLLECTION", str(tmp_path / "copies.lookalike"))
    with lookalike.open(tmp_path / "copies.lookalike", encoder=str(colour_encoder)) as collection:
        list(collection.sync([pictures]))
    assert call("show", path, "--json").json["copies"] == [str(pictures / "copy.png")]


def test_an_unknown_item_is_an_error_that_says_what_an_item_is(call, indexed):
    for name in ("nobody", "/nowhere/a.jpg", "\udcff", "\ud800", "a\0b", "a\nb", ""):
        called = call("show", name)
        assert (called.code, called.out) == (1, "")
        assert "there is no item" in called.err


def test_fields_are_listed_with_what_stands_in_them(call, indexed):
    found = {each["name"]: each for each in call("fields", "--json").json["fields"]}
    assert all(list(each) == FIELD_KEYS for each in found.values())
    assert found["format"]["kind"] == "text"
    assert found["format"]["frequent"] == [{"value": "JPEG", "items": 16}, {"value": "PNG", "items": 8}]
    assert found["width"]["least"] == found["width"]["most"] > 0
    table = call("fields").out.splitlines()
    assert table[0].split() == ["field", "kind", "items", "values"]
    assert len(table) == len(found) + 1


def test_a_collection_without_pictures_has_no_fields_and_says_so(call, tmp_path):
    called = call("fields", "--collection", tmp_path / "none")
    assert called.code == 1
    assert "lookalike index" in called.err


def test_search_adds_and_subtracts(call, indexed):
    def colour(*query):
        return first_hit(call, *query)["uri"].rpartition("-")[0].rpartition("-")[2]

    red, green = first_hit(call, "red"), first_hit(call, "green")
    assert colour(f"item:{green['id']}") == "green"
    assert colour("red", "+", f"9:item:{green['id']}") == "green"
    assert colour("0.1:green", "+", red["uri"], "-", "0.1:green") == "red"
    assert colour(f"{red['uri']}[25%,25%,50%,50%]") == "red"


def test_a_mistake_in_a_query_is_pointed_at(call, indexed):
    called = call("search", "red", "+", "-", "blue")
    assert called.code == 1
    error, excerpt, caret, *_ = called.err.splitlines()
    assert error == "error: two signs in a row"
    assert excerpt[caret.index("^") :] == "- blue"


def test_json_of_an_item_is_json_whatever_its_metadata(call, indexed):
    assert json.loads(call("show", first_hit(call, "red")["id"], "--json").out)


def test_a_minus_without_its_blank_is_explained(call, indexed):
    called = call("search", "dog", "-fruit")
    assert called.code == 2
    assert "search dog - snow" in called.err
    assert call("search", "--json", "--", "-fruit").json["query"] == "-fruit"
