"""`lookalike evaluate` as a user types it: kinds of judgements, encoders, files written."""

from __future__ import annotations

import csv
import os

import pytest

from tiny_encoder import write_tiny_encoder


@pytest.fixture
def qrels(drawn, tmp_path):
    """A file of judged pairs: colours, and the pictures of that colour."""
    path = tmp_path / "judgements.csv"
    lines = [f"{picture.name.split('-')[1]},{picture}" for picture in sorted(drawn.iterdir())]
    path.write_text("query,item\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_kind_of_judgements_is_found_by_the_columns(call, qrels, drawn, colour_encoder, tmp_path):
    captions = tmp_path / "captions.csv"
    captions.write_text(f"image,caption\n{next(drawn.iterdir())},red\n", encoding="utf-8")
    graded = call("evaluate", qrels, "--encoder", colour_encoder)
    assert (graded.code, "words -> picture (8 queries)" in graded.out) == (0, True)
    assert "caption -> picture (1 query)" in call("evaluate", captions, "--encoder", colour_encoder).out


def test_items_of_a_collection_are_ranked_by_its_vectors_and_its_encoder(call, qrels, indexed):
    told = call("evaluate", qrels, "--collection", indexed, "--json").json
    assert told["pictures"] == 24
    assert told["text_to_image"]["hit@1"] > 0.8
    assert told["judgements"]["collection"] == str(indexed)
    assert told["name"] == call("status", "--json").json["encoder"]


def test_ids_without_a_file_of_that_name_are_looked_for_in_the_usual_collection(call, indexed, tmp_path):
    hits = call("search", "red", "-k", "3", "--json").json["hits"]
    path = tmp_path / "judgements.csv"
    path.write_text("query,item\n" + "".join(f"red,{hit['id']}\n" for hit in hits), encoding="utf-8")
    called = call("evaluate", path)
    assert called.code == 0
    assert str(indexed) in called.err


def test_several_encoders_are_compared_with_the_first(call, qrels, colour_encoder, tmp_path):
    other = write_tiny_encoder(tmp_path / "tiny")
    called = call("evaluate", qrels, "--encoders", f"{other},{colour_encoder}")
    assert called.code == 0
    assert "difference  95 % between" in called.out
    assert f"Words -> picture: {colour_encoder.name} " in called.out


def test_a_report_and_a_table_of_questions_are_written(call, qrels, colour_encoder, tmp_path):
    html, table = tmp_path / "report.html", tmp_path / "questions.csv"
    called = call("evaluate", qrels, "--encoder", colour_encoder, "--html", html, "--per-query", table)
    assert called.code == 0
    assert str(html) in called.err
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    with table.open(newline="", encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == 8


def test_other_metrics_and_seeds_are_taken(call, qrels, colour_encoder):
    told = call(
        "evaluate", qrels, "--encoder", colour_encoder, "--metrics", "hit@2, ndcg@20", "--seed", "7", "--json"
    ).json
    assert list(told["text_to_image"])[:2] == ["hit@2", "ndcg@20"]
    assert told["seed"] == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--labels", "a", "--captions", "b"], "give JUDGEMENTS, or --labels, or --captions"),
        (["{qrels}", "--encoder", "a", "--encoders", "b,c"], "either --encoder or --encoders"),
        (["{qrels}", "--metrics", "accuracy@5"], "accuracy@5"),
        (["{qrels}", "--pool", "a", "--collection", "b"], "leave --pool out"),
        (["--labels", "{folder}", "--pool", "a"], "query and item"),
        (["{qrels}", "--encoders", "{encoder},{encoder}"], "same encoder twice"),
    ],
)
def test_wrong_usage_is_told_before_any_work(call, qrels, colour_encoder, arguments, said):
    there = {"qrels": qrels, "folder": os.path.dirname(qrels), "encoder": colour_encoder}
    called = call("evaluate", *(each.format(**there) for each in arguments))
    assert (called.code, called.out) == (2, "")
    assert said in called.err


def test_pictures_of_one_class_have_no_cosine_with_what_is_wrong(call, drawn, colour_encoder, tmp_path):
    labels, table = tmp_path / "labels.csv", tmp_path / "questions.csv"
    labels.write_text("image,label\n" + "".join(f"{each},thing\n" for each in drawn.iterdir()), encoding="utf-8")
    tiny = write_tiny_encoder(tmp_path / "tiny")
    one = call("evaluate", labels, "--encoder", colour_encoder, "--per-query", table, "--html", tmp_path / "one.html")
    two = call("evaluate", labels, "--encoders", f"{tiny},{colour_encoder}", "--html", tmp_path / "two.html")
    for called in (one, two):
        assert (called.code, "cosine_right" in called.out, "cosine_wrong" in called.out) == (0, True, False)
    with table.open(newline="", encoding="utf-8") as stream:
        assert {row["cosine_wrong"] for row in csv.DictReader(stream)} == {""}


@pytest.mark.parametrize("option", ["--html", "--per-query"])
def test_where_a_file_cannot_be_written_is_said_before_the_work(call, qrels, tmp_path, option):
    called = call("evaluate", qrels, "--encoder", "no such encoder", option, tmp_path / "missing" / "file")
    assert (called.code, called.err.count("there is no folder")) == (2, 1)
    folder = call("evaluate", qrels, "--encoder", "no such encoder", option, tmp_path)
    assert "is a folder" in folder.err
