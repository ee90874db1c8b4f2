"""What can be judged by its words."""

from __future__ import annotations

import csv

import pytest

import lookalike
from lookalike.core.errors import CollectionNotFound, SourceError
from lookalike.engine.text_preparation import TextPreparation
from lookalike.evaluation.proposals import propose
from lookalike.evaluation.things import Thing, things_of_catalogue, things_of_collection
from lookalike.testing import ToyEncoder, draw_pictures

PLAIN = TextPreparation()


@pytest.fixture
def shop(tmp_path):
    draw_pictures(tmp_path / "img", 4)
    files = [f"img/{path.name}" for path in sorted((tmp_path / "img").iterdir())]
    rows = [
        ("a", f"{files[0]}|{files[1]}", "red circle", "toys"),
        ("b", files[2], "blue square", "toys"),
        ("c", files[3], "", "games"),
    ]
    with (tmp_path / "c.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("id", "image", "title", "category"), *rows])
    return tmp_path, files


def test_products_of_a_catalogue_with_all_their_pictures_below_the_file_of_judgements(shop):
    folder, files = shop
    found = things_of_catalogue(folder / "c.csv", PLAIN, out=folder / "j.csv")
    assert found == [
        Thing((files[0], files[1]), str(folder / files[0]), "red circle"),
        Thing((files[2],), str(folder / files[2]), "blue square"),
    ]
    elsewhere = things_of_catalogue(folder / "c.csv", PLAIN, out=folder / "img" / "deep" / "j.csv")
    assert elsewhere[0].items == (str(folder / files[0]), str(folder / files[1]))


def test_a_template_makes_the_text(shop):
    folder, _ = shop
    prepared = TextPreparation(template="{title}, {category}")
    found = things_of_catalogue(folder / "c.csv", prepared, out=folder / "j.csv")
    assert [thing.text for thing in found] == ["red circle, toys", "blue square, toys", "games"]


def test_items_of_a_collection_are_called_by_their_ids(shop):
    folder, files = shop
    with lookalike.open(folder / "c.lookalike", encoder=ToyEncoder()) as collection:
        list(collection.sync([folder / "c.csv"]))
    found = things_of_collection(folder / "c.lookalike", PLAIN)
    assert found == [
        Thing(("a", "a/2"), str(folder / files[0]), "red circle"),
        Thing(("b",), str(folder / files[2]), "blue square"),
    ]


def test_without_texts_the_fields_there_are_named(shop):
    folder, _ = shop
    with pytest.raises(SourceError, match=r"nothing in .* has a text") as caught:
        things_of_catalogue(folder / "c.csv", TextPreparation(template="{brand}"), out=folder / "j.csv")
    assert "category, group, title" in caught.value.hint
    with lookalike.open(folder / "img.lookalike", encoder=ToyEncoder()) as collection:
        list(collection.sync([folder / "img"]))
    with pytest.raises(SourceError, match=r"nothing in .* has a text"):
        things_of_collection(folder / "img.lookalike", PLAIN)
    with pytest.raises(CollectionNotFound):
        things_of_collection(folder / "none.lookalike", PLAIN)


def test_the_likeliest_things_are_proposed_best_first_from_a_likeness_on():
    things = [
        Thing((str(number),), "", text) for number, text in enumerate(["blue square", "red circle", "red square"])
    ]
    toy = ToyEncoder()
    (found,) = propose(["red circle"], things, toy, above=-1)
    assert found[0].thing.text == "red circle"
    assert found[0].likeness == pytest.approx(1)
    assert [each.likeness for each in found] == sorted((each.likeness for each in found), reverse=True)
    assert len(propose(["red circle"], things, toy, above=-1, at_most=2)[0]) == 2
    assert [each.thing.text for each in propose(["red circle"], things, toy, above=0.999)[0]] == ["red circle"]
    assert propose([], things, toy, above=0) == []
