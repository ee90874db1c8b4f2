"""Questions with graded answers: what people and programs write into the file, and where items are found."""

from __future__ import annotations

import os

import numpy as np
import pytest

from lookalike import open as open_collection
from lookalike.core.errors import CollectionNotFound, SourceError
from lookalike.evaluation.judgements import kind_of
from lookalike.evaluation.qrels import read_qrels
from lookalike.testing import ToyEncoder, draw_pictures


@pytest.fixture
def photos(tmp_path):
    """Six pictures, called 0.jpg to 5.jpg whatever they are inside."""
    for number, path in enumerate(draw_pictures(tmp_path / "photos", 6)):
        path.rename(tmp_path / "photos" / f"{number}.jpg")
    return tmp_path / "photos"


def write(folder, text):
    path = folder / "judgements.csv"
    path.write_text(text, encoding="utf-8")
    return path


def asked(judgements):
    """{words or name of the query picture: {name of an item: grade}}."""
    name = [os.path.basename(each.asset.uri) for each in judgements.pictures]
    return {
        each.words or name[each.picture]: {name[item]: grade for item, grade in each.grades.items()}
        for each in judgements.questions
    }


def reasons(judgements):
    return {os.path.basename(each.uri): each.reason for each in judgements.skipped}


def test_lines_of_one_question_belong_together_and_without_a_grade_all_are_right(photos):
    found = read_qrels(write(photos, "query,item\nred,0.jpg\nblue,1.jpg\nred,2.jpg\n"))
    assert found.kind == "qrels"
    assert asked(found) == {"red": {"0.jpg": 1.0, "2.jpg": 1.0}, "blue": {"1.jpg": 1.0}}


def test_grades_count_and_the_last_line_about_a_pair_holds(photos):
    found = read_qrels(write(photos, "query,item,grade\nred,0.jpg,2.5\nred,1.jpg,1\nred,1.jpg,0\nred,2.jpg,\n"))
    assert asked(found) == {"red": {"0.jpg": 2.5, "1.jpg": 0.0, "2.jpg": 1.0}}


def test_usual_names_of_columns_are_understood_and_others_passed_over(photos):
    text = "Question;who;Image;Relevance\nred;Ann;0.jpg;1\n"
    assert asked(read_qrels(write(photos, text))) == {"red": {"0.jpg": 1.0}}


def test_a_picture_can_ask_and_is_an_answer_only_where_it_was_judged(photos):
    found = read_qrels(write(photos, "query_image,item\n5.jpg,0.jpg\n0.jpg,1.jpg\n"))
    assert asked(found) == {"5.jpg": {"0.jpg": 1.0}, "0.jpg": {"1.jpg": 1.0}}
    pool = [os.path.basename(each.asset.uri) for each in found.pictures[: found.pool]]
    assert pool == ["0.jpg", "1.jpg"]


def test_a_pool_by_another_path_holds_no_picture_twice(photos, tmp_path):
    (tmp_path / "link").symlink_to(photos)
    found = read_qrels(write(photos, "query,item\nred,0.jpg\n"), pool=tmp_path / "link")
    assert found.pool == len(found.pictures) == 6


def test_the_pool_is_ranked_too(photos):
    found = read_qrels(write(photos, "query,item\nred,0.jpg\n"), pool=photos)
    assert found.pool == len(found.pictures) == 6
    assert found.origin["pool"] == str(photos)


def test_what_cannot_be_used_is_listed_with_reasons(photos):
    lines = ["query,item,grade", "red,0.jpg,1", "red,gone.jpg,1", ",1.jpg,1", "red,,1"]
    lines += ["red,2.jpg,often", "red,3.jpg,-1", "red,4.jpg,nan"]
    found = read_qrels(write(photos, "\n".join(lines) + "\n"))
    assert asked(found) == {"red": {"0.jpg": 1.0}}
    assert reasons(found) == {
        "gone.jpg": "there is no such file",
        "judgements.csv:4": "no query in this line",
        "judgements.csv:5": "no item in this line",
        "judgements.csv:6": 'the grade "often" is no number from 0 up',
        "judgements.csv:7": 'the grade "-1" is no number from 0 up',
        "judgements.csv:8": 'the grade "nan" is no number from 0 up',
    }


def test_no_item_found_says_where_was_looked(photos, tmp_path):
    path = write(tmp_path, "query,item\nred,0.jpg\n")
    with pytest.raises(SourceError, match="none of the 1 items") as told:
        read_qrels(path)
    assert str(tmp_path) in told.value.hint
    assert "--collection" in told.value.hint
    assert asked(read_qrels(path, images=photos)) == {"red": {"0.jpg": 1.0}}


def test_a_file_without_pairs_is_an_error(photos):
    with pytest.raises(SourceError, match="no judged pair"):
        read_qrels(write(photos, "query,item\nred,\n"))
    with pytest.raises(SourceError, match="'query'"):
        read_qrels(write(photos, "image,label\n0.jpg,red\n"))


def test_pairs_that_nobody_looked_at_are_counted(photos):
    text = "query,item,source\nred,0.jpg,person\nred,1.jpg,proposal\nred,2.jpg,proposal\n"
    assert read_qrels(write(photos, text)).origin["unconfirmed"] == "2 of 3 pairs"
    assert "unconfirmed" not in read_qrels(write(photos, text.replace("proposal", "person"))).origin


# --- items of a collection ------------------------------------------------------------------------


@pytest.fixture
def collection(photos, tmp_path):
    """The six photos in a collection; its directory."""
    place = tmp_path / "here.lookalike"
    with open_collection(place, encoder=ToyEncoder()) as opened:
        for _ in opened.sync([photos], workers=1):
            pass
        ids = {os.path.basename(hit.uri): hit.id for hit in opened.search("red", k=6)}
    return place, ids


def test_items_are_ids_or_paths_of_the_collection_and_all_of_it_is_ranked(photos, collection):
    place, ids = collection
    text = f"query,item\nred,{ids['0.jpg']}\nred,1.jpg\nred,{photos / '2.jpg'}\nred,unknown\n"
    found = read_qrels(write(photos, text), collection=place)
    assert set(asked(found)["red"]) == {"0.jpg", "1.jpg", "2.jpg"}
    assert found.pool == len(found.pictures) == 6
    assert reasons(found) == {"unknown": "there is no such item in the collection"}


def test_the_vectors_and_the_generation_of_the_collection_come_along(photos, collection):
    place, _ = collection
    found = read_qrels(write(photos, "query,item\nred,0.jpg\n"), collection=place)
    assert found.known.encoder_id == ToyEncoder().id
    assert found.known.vectors.shape == (6, ToyEncoder().dim)
    assert found.origin["collection"] == str(place)
    assert int(found.origin["generation"]) > 0
    assert len(found.origin["digest"]) == 64


def test_a_picture_that_is_no_item_can_ask_a_collection(photos, collection, tmp_path):
    place, _ = collection
    (other,) = draw_pictures(tmp_path / "other", 1, seed=9)
    found = read_qrels(write(photos, f"query_image,item\n{other},0.jpg\n1.jpg,0.jpg\n"), collection=place)
    assert (found.pool, len(found.pictures)) == (6, 7)
    assert set(asked(found)) == {other.name, "1.jpg"}


def test_a_collection_that_is_not_there_is_told(photos, tmp_path):
    with pytest.raises(CollectionNotFound):
        read_qrels(write(photos, "query,item\nred,0.jpg\n"), collection=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="pool"):
        read_qrels(write(photos, "query,item\nred,0.jpg\n"), collection=tmp_path, pool=photos)


# --- which kind of judgements it is -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("query,item,grade", "qrels"),
        ("query_image\titem", "qrels"),
        ("image;label", "labels"),
        ("Picture,Class", "labels"),
        ("image,caption", "captions"),
    ],
)
def test_the_kind_is_known_by_the_columns(photos, header, kind):
    assert kind_of(write(photos, header + "\n")) == kind


def test_a_folder_is_classes(photos):
    assert kind_of(photos) == "labels"


@pytest.mark.parametrize(("header", "told"), [("id,title", "no columns"), ("image,label,caption", "both")])
def test_columns_that_do_not_tell_are_asked_about(photos, header, told):
    with pytest.raises(SourceError, match=told):
        kind_of(write(photos, header + "\n"))


def test_vectors_of_a_collection_are_those_of_the_pictures(photos, collection):
    """Ranked by the vectors of the collection or by the files: the same order."""
    from lookalike.evaluation.evaluate import evaluate

    place, _ = collection
    path = write(photos, "query,item\nred,0.jpg\nyellow,2.jpg\n")
    by_rows = evaluate(ToyEncoder(), read_qrels(path, collection=place))
    by_files = evaluate(ToyEncoder(), read_qrels(path, pool=photos))
    assert by_rows.pictures == by_files.pictures == 6
    np.testing.assert_allclose(
        by_rows.text_to_image.values["cosine_right"], by_files.text_to_image.values["cosine_right"], atol=2e-3
    )
