"""Rows of catalogues to entries: which pictures a cell names, whose they are, and what each row says."""

from __future__ import annotations

import csv
import json
import os

import pytest

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.images.catalogue import catalogue
from lookalike.images.catalogue_plan import CatalogueOptions, field_names
from lookalike.images.seen_ids import SeenIds
from odd_files import card, encoded


@pytest.fixture
def shop(tmp_path):
    """A folder with pictures 0.png to 4.png in img, and two more in img/more."""
    (tmp_path / "img" / "more").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "img" / f"{number}.png").write_bytes(encoded(card(), "PNG") + bytes([number]))
    for number in range(2):
        (tmp_path / "img" / "more" / f"{number}.png").write_bytes(encoded(card(), "PNG"))
    return tmp_path


def written(shop, *rows, header=("id", "file", "title"), name="c.csv"):
    path = shop / name
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def entries(path, **options):
    return list(catalogue(path, CatalogueOptions(**options)).assets())


def keys(found):
    return [(each.key.decode(), os.path.basename(each.uri)) for each in found if isinstance(each, Asset)]


def test_a_row_is_an_entry_with_its_id_its_picture_and_what_it_says(shop):
    path = written(shop, ("007", "img/0.png", "Shirt", "12.50"), header=("id", "file", "title", "Price (EUR)"))
    (found,) = entries(path)
    assert found.key == b"007"
    assert found.uri == str(shop / "img" / "0.png")
    assert found.size == (shop / "img" / "0.png").stat().st_size
    assert found.metadata == {"title": "Shirt", "price_eur": 12.5, "group": "007"}
    with catalogue(path).open(found) as stream:
        assert stream.read() == (shop / "img" / "0.png").read_bytes()


@pytest.mark.parametrize(
    "cell",
    [
        "img/0.png|img/1.png",
        "img/0.png; img/1.png",
        "img/0.png,img/1.png",
        "img/0.png\nimg/1.png",
        '["img/0.png", "img/1.png"]',
        r"img\0.png|img\1.png",
        "img/../img/0.png|./img/1.png",
    ],
)
def test_a_cell_may_name_several_pictures_of_one_product(shop, cell):
    found = entries(written(shop, ("7", cell, "x")))
    assert keys(found) == [("7", "0.png"), ("7/2", "1.png")]
    assert [each.uri for each in found] == [str(shop / "img" / name) for name in ("0.png", "1.png")]


def test_a_cell_may_name_a_folder_of_pictures(shop):
    assert keys(entries(written(shop, ("7", "img/more", "x")))) == [("7", "0.png"), ("7/2", "1.png")]


def test_paths_may_be_absolute(shop):
    assert keys(entries(written(shop, ("7", shop / "img" / "0.png", "x")))) == [("7", "0.png")]


def test_a_name_with_a_mark_in_it_is_one_picture_where_there_is_one(shop):
    (shop / "a, b;c.png").write_bytes(encoded(card(), "PNG"))
    assert keys(entries(written(shop, ("7", "a, b;c.png", "x")))) == [("7", "a, b;c.png")]


def test_rows_with_one_id_are_pictures_of_one_product_and_take_over_what_the_row_before_said(shop):
    path = written(
        shop, ("7", "img/0.png", "Shirt"), ("7", "img/1.png", ""), ("8", "img/2.png", ""), ("7", "img/3.png", "")
    )
    found = entries(path)
    assert keys(found) == [("7", "0.png"), ("7/2", "1.png"), ("8", "2.png"), ("7/3", "3.png")]
    assert [each.metadata.get("title") for each in found] == ["Shirt", "Shirt", None, None]
    assert [each.metadata["group"] for each in found] == ["7", "7", "8", "7"]


def test_an_id_that_is_called_like_a_further_picture_gets_a_key_of_its_own(shop):
    found = entries(written(shop, ("7", "img/0.png", ""), ("7", "img/1.png", ""), ("7/2", "img/2.png", "")))
    assert keys(found) == [("7", "0.png"), ("7/2", "1.png"), ("7/2/2", "2.png")]


def test_no_row_is_lost_silently(shop):
    path = written(
        shop,
        ("1", "img/none.png", "a"),
        ("", "img/0.png", "b"),
        ("3", "", "c"),
        ("4", "img/1.png", "d"),
        ("4", "", "e"),
    )
    found = [(each.code, each.reason) for each in entries(path) if isinstance(each, Skipped)]
    assert found == [
        ("vanished", "row 2 (id 1): its picture is not there"),
        ("no-id", "row 3 has no id: its product is left out"),
        ("no-picture", "row 4 (id 3) names no picture"),
        ("no-picture", "row 6 names no picture; its product 4 is in by another row"),
    ]


def test_names_that_no_file_can_have_are_told_of_like_others(shop):
    (shop / "c.jsonl").write_text('{"id": 1, "file": "\\ud800.jpg"}\n{"id": 2, "file": "a\\u0000.jpg"}\n')
    found = list(catalogue(shop / "c.jsonl").assets())
    assert [(each.code, each.key) for each in found] == [("vanished", b"1"), ("vanished", b"2")]
    assert all(os.fsencode(each.uri) for each in found)


def test_pictures_on_the_web_are_entries_only_where_that_is_allowed(shop):
    path = written(shop, ("1", "https://shop.example/a,1.jpg, https://shop.example/b.jpg", "x"))
    assert {each.code for each in entries(path)} == {"on-web"}
    found = entries(path, allow_url=True)
    assert [each.uri for each in found] == ["https://shop.example/a,1.jpg", "https://shop.example/b.jpg"]


def test_what_is_on_the_web_is_not_opened_without_leave_nor_from_this_computer(shop):
    path = written(shop, ("1", "http://127.0.0.1:9/a.jpg", "x"))
    (found,) = entries(path, allow_url=True)
    for allow_url in (False, True):
        with pytest.raises(OSError, match=r"allow-url|private|public"):
            catalogue(path, CatalogueOptions(allow_url=allow_url)).open(found)


def test_without_an_id_the_name_of_the_picture_is_the_id(shop):
    found = entries(written(shop, ("img/0.png", "x"), ("img/1.png", "y"), header=("image", "caption")))
    assert keys(found) == [("img/0.png", "0.png"), ("img/1.png", "1.png")]


def test_json_lines_bring_lists_and_kinds_of_their_own(shop):
    path = shop / "c.jsonl"
    rows = [
        {"sku": 1, "images": ["img/0.png", "img/1.png"], "price": 5, "tags": ["red"]},
        {"sku": 2.0, "images": "img/2.png", "price": 5.5, "new": True, "nested": {"a": 1}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = catalogue(path)
    assert source.plan.kinds == {
        "sku": "text",
        "price": "float",
        "tags": "texts",
        "new": "bool",
        "nested": "text",
        "group": "text",
    }
    found = list(source.assets())
    assert keys(found) == [("1", "0.png"), ("1/2", "1.png"), ("2", "2.png")]
    assert found[2].metadata == {"sku": "2.0", "price": 5.5, "new": True, "nested": '{"a": 1}', "group": "2"}


def test_columns_are_found_by_what_people_call_them_or_told(shop):
    path = written(shop, ("1", "img/0.png", "x"), header=("SKU", "Image Src", "Название"))
    plan = catalogue(path).plan
    assert [plan.columns[at].name for at in (plan.id, plan.image)] == ["SKU", "Image Src"]
    assert plan.texts == ("название",)
    plan = catalogue(path, CatalogueOptions(id_column="image src", title_column="название", text_columns=("SKU",))).plan
    assert (plan.columns[plan.id].name, plan.texts) == ("Image Src", ("sku",))
    (found,) = catalogue(path, CatalogueOptions(title_column="название")).assets()
    assert found.metadata["title"] == "x"


@pytest.mark.parametrize(
    "options",
    [
        {"id_column": "nope"},
        {"image_column": "nope"},
        {"text_columns": ("nope",)},
        {"types": (("nope", "int"),)},
    ],
)
def test_a_column_that_is_not_there_is_an_error_that_names_those_that_are(shop, options):
    with pytest.raises(SourceError, match="no column nope") as caught:
        entries(written(shop, ("1", "img/0.png", "x")), **options)
    assert "id, file, title" in caught.value.hint


def test_a_table_that_names_no_pictures_says_what_to_say(shop):
    with pytest.raises(SourceError, match="which column") as caught:
        entries(written(shop, ("1", "x"), header=("id", "amount")))
    assert "--image-column" in caught.value.hint


def test_said_types_go_before_what_cells_look_like(shop):
    path = written(shop, ("1", "img/0.png", "15.00 USD", "5"), header=("id", "file", "price", "size"))
    (found,) = entries(path, types=(("price", "float"), ("size", "text")))
    assert found.metadata == {"price": 15.0, "size": "5", "group": "1"}


def test_field_names_are_plain_and_no_two_the_same():
    assert field_names(["Price (EUR)", " price eur", "", "2024", "Название"]) == [
        "price_eur",
        "price_eur_2",
        "column_3",
        "column_2024",
        "название",
    ]


def test_options_survive_json_and_later_ones_go_before_earlier_ones():
    earlier = CatalogueOptions(id_column="a", types=(("x", "int"), ("y", "date")), text_columns=("t",))
    assert CatalogueOptions.from_dict(json.loads(json.dumps(earlier.as_dict()))) == earlier
    later = CatalogueOptions(id_column="b", types=(("x", "text"),))
    assert later.over(earlier) == CatalogueOptions(
        id_column="b", types=(("x", "text"), ("y", "date")), text_columns=("t",)
    )


def test_keys_stay_apart_among_many_ids():
    seen = SeenIds()
    names = [str(number % 70_000) for number in range(150_000)]
    given = [seen.key(name) for name in names]
    assert len(set(given)) == len(given)
    assert given[:70_000] == names[:70_000]
    assert given[140_000] == "0/3"
    assert "0" in seen
    assert "70000" not in seen
