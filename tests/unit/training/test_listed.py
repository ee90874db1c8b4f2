"""A catalogue's pictures, each once, with all that is said about it."""

from __future__ import annotations

import pytest

from lookalike.core.errors import SourceError
from lookalike.engine.text_preparation import TextPreparation
from lookalike.testing import draw_pictures
from lookalike.training.listed import list_pictures


@pytest.fixture
def shown(tmp_path):
    return draw_pictures(tmp_path / "pics", 3)


def table(tmp_path, text: str):
    path = tmp_path / "shop.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_picture_in_several_rows_has_the_texts_of_all(tmp_path, shown):
    name = shown[0].name
    path = table(tmp_path, f"image,caption\npics/{name},one\npics/{name},two\npics/{name},one\n")
    (only,), skipped = list_pictures(path)
    assert only.texts == ["one", "two"]
    assert only.label is None
    assert not skipped


def test_every_product_that_shows_a_picture_is_known(tmp_path, shown):
    name = shown[0].name
    path = table(tmp_path, f"id,image,title,category\n7,pics/{name},Shirt S,shirts\n8,pics/{name},Shirt M,shirts\n")
    (only,), _ = list_pictures(path)
    assert only.said == {"7": ["Shirt S"], "8": ["Shirt M"]}
    assert only.label == "shirts"


def test_columns_can_be_named(tmp_path, shown):
    path = table(tmp_path, f"photo,wording,sort\npics/{shown[0].name},a thing,x\n")
    (only,), _ = list_pictures(path, image_column="photo", text_columns=("wording",), label_column="sort")
    assert (only.texts, only.label) == (["a thing"], "x")


def test_a_folder_of_classes_has_labels_and_no_texts(tmp_path):
    draw_pictures(tmp_path / "set" / "cats", 2)
    draw_pictures(tmp_path / "set" / "dogs", 1, seed=3)
    found, _ = list_pictures(tmp_path / "set")
    assert sorted(str(each.label) for each in found) == ["cats", "cats", "dogs"]
    assert all(each.texts == [] for each in found)


def test_pictures_that_are_not_there_are_told(tmp_path, shown):
    path = table(tmp_path, f"image,title\npics/{shown[0].name},here\npics/gone.jpg,gone\n")
    found, skipped = list_pictures(path)
    assert len(found) == 1
    assert len(skipped) == 1
    assert "gone.jpg" in skipped[0].uri


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path, shown):
    path = table(tmp_path, f"image,title\npics/{shown[0].name},here\n")
    with pytest.raises(SourceError, match="no column sort") as told:
        list_pictures(path, label_column="sort")
    assert "title" in told.value.hint


def test_a_table_without_any_picture_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="names no picture"):
        list_pictures(table(tmp_path, "image,title\ngone.jpg,gone\n"))


def test_texts_are_prepared_when_asked_for(tmp_path, shown):
    path = table(tmp_path, f"image,title\npics/{shown[0].name},the Red Dresses\n")
    (only,), _ = list_pictures(path, prepared=TextPreparation(lemmas=True, stop_words=True))
    assert only.texts == ["red dress"]


def test_a_template_makes_one_text_of_several_columns(tmp_path, shown):
    path = table(tmp_path, f"image,title,kind\npics/{shown[0].name},Dress,apparel\n")
    (only,), _ = list_pictures(path, prepared=TextPreparation(template="{title}, {kind}"))
    assert only.texts == ["Dress, apparel"]
    with pytest.raises(SourceError, match="no column brand") as caught:
        list_pictures(path, prepared=TextPreparation(template="{title} {brand}"))
    assert "kind" in caught.value.hint
