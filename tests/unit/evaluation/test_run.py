"""Runs of several encoders: the same questions to all, told apart, and reported in JSON, CSV and HTML."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from lookalike.core.errors import NoTextTower, SourceError
from lookalike.evaluation.evaluate import JUDGED, evaluate, evaluate_all
from lookalike.evaluation.judgements import read_captions, read_labels
from lookalike.evaluation.measured import COSINES
from lookalike.evaluation.metrics import METRICS
from lookalike.evaluation.qrels import read_qrels
from lookalike.evaluation.question_table import write_question_table
from lookalike.evaluation.report import Sheet, Table
from lookalike.evaluation.run_report import doubts, report_of, verdicts
from lookalike.testing import ToyEncoder, draw_pictures


class Blind(ToyEncoder):
    """Sees no colours, so finds nothing but by chance."""

    def encode_images(self, pictures):
        return super().encode_images([np.full_like(picture, 128) + number for number, picture in enumerate(pictures)])


@pytest.fixture(scope="module")
def by_colour(tmp_path_factory):
    root = tmp_path_factory.mktemp("by-colour")
    for path in draw_pictures(root, 32):
        colour = path.stem.split("-")[1]
        (root / colour).mkdir(exist_ok=True)
        path.rename(root / colour / path.name)
    return root


@pytest.fixture(scope="module")
def run(by_colour):
    return evaluate_all([Blind("blind"), ToyEncoder()], read_labels(by_colour), workers=1)


@pytest.fixture
def graded(tmp_path):
    """12 pictures, two questions in words and one picture that asks; the red ones are right for red."""
    draw_pictures(tmp_path / "photos", 16)
    names = sorted(path.name for path in (tmp_path / "photos").iterdir())
    reds = [name for name in names if "-red-" in name]
    lines = [f"red,,{name},2" for name in reds] + [f"blue,,{reds[0]},0"]
    lines += [f"blue,,{name},1" for name in names if "-blue-" in name]
    lines += [f",{reds[0]},{name},1" for name in reds]
    path = tmp_path / "photos" / "judgements.csv"
    path.write_text("query,query_image,item,grade\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


# --- graded judgements ----------------------------------------------------------------------------


def test_words_and_pictures_of_qrels_are_asked_and_graded(graded):
    found = evaluate(ToyEncoder(), read_qrels(graded, pool=graded.parent), workers=1)
    assert found.pictures == 16
    assert (found.text_to_image.queries, found.image_to_image.queries) == (2, 1)
    assert found.text_to_image.values["hit@1"].tolist() == [1.0, 1.0]
    assert found.text_to_image.relevant.tolist() == [2, 2]
    assert found.image_to_image.relevant.tolist() == [1]  # it is right itself, but no answer to itself


def test_how_many_answers_were_judged_is_told(graded):
    """`red`: 2 of 10 answers judged; `blue`: its two, and the red one that was struck where it is among the ten."""
    found = evaluate(ToyEncoder(), read_qrels(graded, pool=graded.parent), workers=1)
    assert found.text_to_image.values[JUDGED][0] == pytest.approx(0.2)
    struck = found.text_to_image.answers[1].tolist().count(0)  # the first red one is the first picture
    assert found.text_to_image.values[JUDGED][1] == pytest.approx(0.2 + struck / 10)
    assert JUDGED not in evaluate(ToyEncoder(), read_labels(graded.parent.parent), workers=1).image_to_image.values


def test_a_picture_that_only_asks_is_no_answer(graded, tmp_path):
    (other,) = draw_pictures(tmp_path / "other", 1)
    reds = [path for path in sorted(graded.parent.iterdir()) if "-red-" in path.name]
    graded.write_text(f"query_image,item\n{other},{reds[0]}\n{other},{reds[1]}\n", encoding="utf-8")
    found = evaluate(ToyEncoder(), read_qrels(graded), workers=1)
    assert found.pictures == 2
    assert found.image_to_image.answers[0].tolist()[2:] == [-1] * 8


def test_a_broken_picture_takes_its_grades_along_and_no_others(graded):
    reds = [path for path in sorted(graded.parent.iterdir()) if "-red-" in path.name]
    reds[0].write_bytes(b"no picture")
    found = evaluate(ToyEncoder(), read_qrels(graded, pool=graded.parent), workers=1)
    assert found.pictures == 15
    assert found.text_to_image.values["hit@1"].tolist() == [1.0, 1.0]
    assert found.text_to_image.relevant.tolist() == [1, 2]
    assert found.image_to_image is None  # the only picture that asks is broken


def test_pictures_that_ask_and_cannot_be_decoded_leave_nothing_to_measure(graded, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    red = next(path for path in sorted(graded.parent.iterdir()) if "-red-" in path.name)
    graded.write_text(f"query_image,item\n{tmp_path / 'broken.jpg'},{red}\n", encoding="utf-8")
    with pytest.raises(SourceError, match="no question is left"):
        evaluate(ToyEncoder(), read_qrels(graded), workers=1)


def test_an_encoder_without_words_is_asked_with_pictures_alone(graded):
    found = evaluate(ToyEncoder(text=False), read_qrels(graded), workers=1)
    assert found.text_to_image is None
    assert found.image_to_image.queries == 1
    graded.write_text(graded.read_text("utf-8").replace("query_image", "nothing"), encoding="utf-8")
    with pytest.raises(NoTextTower):
        evaluate(ToyEncoder(text=False), read_qrels(graded), workers=1)


# --- several encoders -----------------------------------------------------------------------------


def test_every_encoder_has_the_figures_it_has_alone(run, by_colour):
    alone = evaluate(ToyEncoder(), read_labels(by_colour), workers=1)
    assert run.evaluations[1].as_dict() == alone.as_dict()


def test_an_encoder_that_sees_is_told_from_one_that_does_not(run):
    differences = run.differences(run.evaluations[1])["image_to_image"]
    assert differences["map@10"].sure
    assert differences["map@10"].mean > 0.3
    by_words, by_pictures = verdicts(run, ["blind", "toy"])
    assert by_words.startswith("Class name -> picture: toy finds better than blind: map@10 +")
    assert by_pictures.startswith("Picture -> picture: toy finds better than blind: map@10 +")


def test_the_json_object_is_of_the_first_encoder_and_then_of_all(run):
    told = run.as_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [each["encoder"] for each in told["encoders"]] == [each.encoder for each in run.evaluations]
    assert told["encoder"] == run.evaluations[0].encoder
    (compared,) = told["comparisons"]
    assert tuple(compared["image_to_image"]) == METRICS + COSINES
    assert compared["baseline"] == told["encoder"]
    assert sum(told["outcomes"]["image_to_image"].values()) == told["counts"]["image_to_image"]["queries"]


def test_what_is_needed_to_get_the_same_again_is_inside(run, by_colour, graded):
    folder = run.as_dict()["judgements"]
    assert (folder["path"], len(folder["digest"])) == (str(by_colour), 64)
    assert {"lookalike", "numpy", "onnxruntime", "python"} <= set(run.as_dict()["versions"])
    origin = evaluate_all([ToyEncoder()], read_qrels(graded), workers=1).as_dict()["judgements"]
    assert (origin["path"], len(origin["digest"])) == (str(graded), 64)


# --- tables and reports -----------------------------------------------------------------------------


def test_the_table_has_every_question_of_every_encoder(run, tmp_path):
    write_question_table(run, tmp_path / "questions.csv")
    with (tmp_path / "questions.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * (8 + 32)
    of_toy = [row for row in rows if row["encoder"] == ToyEncoder().id and row["way"] == "image_to_image"]
    measured = run.evaluations[1].image_to_image
    assert [float(row["map@10"]) for row in of_toy] == pytest.approx(measured.values["map@10"].tolist(), abs=1e-6)
    assert [int(row["first_right"]) for row in of_toy] == measured.first.tolist()
    assert all((row["first_answer"] == row["best_right"]) == (row["first_right"] == "1") for row in of_toy)


def test_the_report_shows_figures_comparison_and_pictures_of_both_ways(run):
    report = report_of(run, ["blind", "toy"])
    assert [section.title for section in report.sections] == [
        "In short",
        "Class name -> picture",
        "Picture -> picture",
    ]
    by_pictures = report.sections[2].parts
    tables = {part.title: part for part in by_pictures if isinstance(part, Table)}
    assert {"toy against blind", "What became of the questions", "Every question"} <= set(tables)
    assert len(tables["Every question"].rows) == 32
    sheets = {part.title: part for part in by_pictures if isinstance(part, Sheet)}
    assert {"What toy won most", "blind: what went worst", "toy: what went best"} <= set(sheets)
    for _, tiles in sheets["toy: what went best"].rows:
        assert tiles[0].right is None  # the picture that asks
        assert tiles[1].right is True
        assert all(tile.jpeg for tile in tiles)
    assert report.about["encoder 2"] == ToyEncoder().id


def test_what_went_worst_shows_where_the_right_one_is(run):
    """Of blind's worst questions, the first right answer is not among the shown ones: it stands behind them."""
    sheet = next(part for part in report_of(run, ["blind", "toy"]).sections[2].parts if isinstance(part, Sheet))
    heading, tiles = sheet.rows[0]
    assert "blind" in heading
    assert "the first right one, at" in tiles[-1].caption


def test_a_picture_that_went_since_is_a_grey_box(tmp_path):
    for path in draw_pictures(tmp_path, 3):
        (tmp_path / "class").mkdir(exist_ok=True)
        path.rename(tmp_path / "class" / path.name)
    run = evaluate_all([ToyEncoder()], read_labels(tmp_path), workers=1)
    for path in (tmp_path / "class").iterdir():
        path.unlink()
    sheets = [part for part in report_of(run, ["toy"]).sections[1].parts if isinstance(part, Sheet)]
    assert all(tile.jpeg is None for sheet in sheets for _, tiles in sheet.rows for tile in tiles)


def test_a_report_says_how_many_pairs_nobody_looked_at(graded):
    run = evaluate_all([ToyEncoder()], read_qrels(graded, pool=graded.parent), workers=1)
    assert list(doubts(run)) == []
    lines = graded.read_text("utf-8").splitlines()
    graded.write_text("\n".join([f"{lines[0]},source", *(f"{line},proposal" for line in lines[1:])]), encoding="utf-8")
    run = evaluate_all([ToyEncoder()], read_qrels(graded, pool=graded.parent), workers=1)
    (doubt,) = doubts(run)
    assert doubt.startswith(f"{len(lines) - 1} of {len(lines) - 1} pairs were taken by the likeness of their words")
    assert doubt in [part.text for part in report_of(run, ["toy"]).sections[0].parts]


def test_captions_are_reported_by_one_way(tmp_path):
    for number, path in enumerate(draw_pictures(tmp_path, 4)):
        path.rename(tmp_path / f"{number}.jpg")
    (tmp_path / "c.csv").write_text("image,caption\n0.jpg,red\n1.jpg,orange\n2.jpg,yellow\n", encoding="utf-8")
    run = evaluate_all([ToyEncoder()], read_captions(tmp_path / "c.csv"), workers=1)
    assert [section.title for section in report_of(run, ["toy"]).sections] == ["In short", "Caption -> picture"]
