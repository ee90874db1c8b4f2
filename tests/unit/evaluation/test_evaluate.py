"""Evaluation: real files, real decoding, and figures worked out a second time from the encoder's own vectors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from lookalike.core.errors import NoTextTower, SourceError
from lookalike.evaluation.evaluate import evaluate
from lookalike.evaluation.judgements import read_captions, read_labels
from lookalike.evaluation.measured import COSINES
from lookalike.evaluation.metrics import METRICS
from lookalike.testing import ToyEncoder, draw_pictures


@pytest.fixture(scope="module")
def by_colour(tmp_path_factory):
    """48 drawn pictures in folders named after their colours, six in each."""
    root = tmp_path_factory.mktemp("by-colour")
    for path in draw_pictures(root, 48):
        colour = path.stem.split("-")[1]
        (root / colour).mkdir(exist_ok=True)
        path.rename(root / colour / path.name)
    return root


@pytest.fixture
def captions(tmp_path):
    """A captions.csv of 24 drawn pictures, two captions each; the first says colour and shape, the second less."""
    paths = draw_pictures(tmp_path, 24)
    words = [path.stem.split("-")[1:] for path in paths]
    lines = [
        f"{path.name},{text}"
        for path, (colour, shape) in zip(paths, words, strict=True)
        for text in (f"a {colour} {shape}", f"something {colour}")
    ]
    csv = tmp_path / "captions.csv"
    csv.write_text("image,caption\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return csv


def vectors_of(judgements, encoder):
    pictures = [np.asarray(Image.open(each.asset.uri).convert("RGB")) for each in judgements.pictures]
    return encoder.encode_images(pictures)


def ranks(scores, allowed):
    """Rows by descending score, ties by lower row, without those not allowed."""
    return [row for row in np.argsort(-scores, kind="stable") if allowed[row]]


def test_class_names_and_pictures_find_the_pictures_of_a_class(by_colour):
    """The toy encoder knows colours, so both ways of asking do well, and a picture is never its own answer."""
    outcome = evaluate(ToyEncoder(), read_labels(by_colour))
    assert outcome.pictures == 48
    assert outcome.text_to_image.means()["hit@1"] == 1.0
    assert outcome.text_to_image.means()["precision@5"] > 0.9
    assert outcome.image_to_image.means()["hit@5"] > 0.8
    assert (outcome.text_to_image.queries, outcome.image_to_image.queries) == (8, 48)


def test_picture_queries_equal_a_ranking_by_hand(by_colour):
    judgements, encoder = read_labels(by_colour), ToyEncoder()
    vectors = vectors_of(judgements, encoder)
    labels = [each.sayings[0] for each in judgements.pictures]
    expected = []
    for row in range(len(vectors)):
        others = np.arange(len(vectors)) != row
        best = ranks(vectors @ vectors[row], others)[:5]
        expected.append(sum(labels[each] == labels[row] for each in best) / 5)
    values = evaluate(encoder, judgements).image_to_image.values["precision@5"]
    np.testing.assert_allclose(values, expected, atol=0.21)  # JPEG at reduced size may swap two close answers
    assert values.mean() == pytest.approx(np.mean(expected), abs=0.01)


def test_each_caption_is_a_query_and_its_own_picture_the_only_right_answer(captions):
    judgements, encoder = read_captions(captions), ToyEncoder()
    vectors = vectors_of(judgements, encoder)
    everyone = np.ones(len(vectors), dtype=bool)
    reciprocal = [
        1 / (ranks(vectors @ encoder.encode_texts([text])[0], everyone).index(row) + 1)
        for row, picture in enumerate(judgements.pictures)
        for text in picture.sayings
    ]
    outcome = evaluate(encoder, judgements)
    assert outcome.image_to_image is None
    assert outcome.text_to_image.queries == 48
    within_ten = [each if each >= 0.1 else 0.0 for each in reciprocal]
    np.testing.assert_allclose(outcome.text_to_image.values["map@10"], within_ten, atol=1e-12)


def test_the_json_object_has_the_documented_keys(by_colour):
    told = evaluate(ToyEncoder(), read_labels(by_colour), seed=5).as_dict()
    assert list(told) == [
        "text_to_image",
        "image_to_image",
        "queries",
        "pictures",
        "intervals",
        "ceilings",
        "outcomes",
        "counts",
        "skipped",
        "encoder",
        "name",
        "seed",
    ]
    assert tuple(told["text_to_image"]) == tuple(told["image_to_image"]) == METRICS + COSINES
    assert (told["queries"], told["pictures"], told["seed"]) == (56, 48, 5)
    assert told["encoder"] == ToyEncoder().id
    assert told["counts"]["text_to_image"] == {"queries": 8, "left_out": 0}
    for kind in ("text_to_image", "image_to_image"):
        for metric, (low, high) in told["intervals"][kind].items():
            assert (-1 if metric in COSINES else 0) <= low <= told[kind][metric] <= high <= 1
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_equal_seeds_give_equal_reports(by_colour):
    first, second = (evaluate(ToyEncoder(), read_labels(by_colour), seed=3).as_dict() for _ in range(2))
    assert first == second


def test_a_bad_picture_is_skipped_and_listed_and_costs_no_other(by_colour, tmp_path):
    draw_pictures(tmp_path / "red", 3)
    broken = tmp_path / "red" / "0001-broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    outcome = evaluate(ToyEncoder(), read_labels(tmp_path))
    assert outcome.pictures == 3
    assert [each.uri for each in outcome.skipped] == [str(broken)]
    assert outcome.as_dict()["skipped"][0]["reason"]


def test_skipped_lines_of_the_judgements_are_reported_too(captions):
    captions.write_text("image,caption\n0000-red-triangle.jpg,a red triangle\ngone.jpg,x\n", encoding="utf-8")
    told = evaluate(ToyEncoder(), read_captions(captions)).as_dict()
    assert told["pictures"] == told["queries"] == 1
    assert [each["reason"] for each in told["skipped"]] == ["there is no such file"]


def test_nothing_that_can_be_decoded_is_an_error_with_an_example(tmp_path):
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / "a.jpg").write_bytes(b"")
    with pytest.raises(SourceError, match="none of the 1 judged pictures") as told:
        evaluate(ToyEncoder(), read_labels(tmp_path))
    assert "a.jpg" in told.value.hint


def test_a_picture_alone_in_its_class_is_left_out_and_counted(tmp_path):
    """Nothing else of its class exists, so no answer could be right; the class name still finds it."""
    draw_pictures(tmp_path / "red", 1)
    draw_pictures(tmp_path / "mixed", 3, seed=1)
    told = evaluate(ToyEncoder(), read_labels(tmp_path)).as_dict()
    assert told["counts"] == {
        "text_to_image": {"queries": 2, "left_out": 0},
        "image_to_image": {"queries": 3, "left_out": 1},
    }


def test_where_no_query_can_be_answered_the_figures_are_null(tmp_path):
    draw_pictures(tmp_path / "red", 1)
    told = evaluate(ToyEncoder(), read_labels(tmp_path)).as_dict()
    assert told["image_to_image"] is None
    assert told["intervals"]["image_to_image"] is None
    assert told["counts"]["image_to_image"] == {"queries": 0, "left_out": 1}


def test_a_picture_with_several_labels_answers_for_each(tmp_path):
    draw_pictures(tmp_path, 3)
    (tmp_path / "labels.csv").write_text(
        "image,label\n0000-red-triangle.jpg,red\n0000-red-triangle.jpg,triangle\n0001-orange-triangle.jpg,triangle\n"
        "0002-yellow-triangle.png,triangle\n0002-yellow-triangle.png,yellow\n",
        encoding="utf-8",
    )
    outcome = evaluate(ToyEncoder(), read_labels(tmp_path / "labels.csv"))
    assert outcome.text_to_image.queries == 3
    assert outcome.text_to_image.means()["hit@1"] == 1.0
    assert outcome.image_to_image.values["recall@5"].tolist() == [1.0, 1.0, 1.0]


def test_an_underscore_in_a_class_name_is_read_as_a_space(tmp_path):
    """`red_circle` is two words to the encoder, not an unknown one."""
    for path in draw_pictures(tmp_path, 24):
        name = "_".join(path.stem.split("-")[1:])
        (tmp_path / name).mkdir(exist_ok=True)
        path.rename(tmp_path / name / path.name)
    assert evaluate(ToyEncoder(), read_labels(tmp_path)).text_to_image.means()["hit@5"] > 0.8


def test_templates_are_averaged_and_named_by_the_caller(by_colour):
    """A template without the name asks every class for the same thing; the bare name beside it restores the order."""
    judgements, encoder = read_labels(by_colour), ToyEncoder()
    blind = evaluate(encoder, judgements, templates=["a photo"]).text_to_image.means()
    both = evaluate(encoder, judgements, templates=["a photo", "{}"]).text_to_image.means()
    assert blind["hit@1"] <= 1 / 8
    assert both["hit@1"] == 1.0


def test_an_encoder_without_words_is_measured_with_pictures_only(by_colour):
    told = evaluate(ToyEncoder(text=False), read_labels(by_colour)).as_dict()
    assert told["text_to_image"] is told["counts"]["text_to_image"] is None
    assert told["image_to_image"]["hit@5"] > 0.9


def test_captions_need_words(captions):
    with pytest.raises(NoTextTower):
        evaluate(ToyEncoder(text=False), read_captions(captions))


def test_progress_counts_pictures_up_to_all_of_them(captions):
    seen = []
    evaluate(ToyEncoder(), read_captions(captions), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 24) for done in range(1, 25)]


def test_an_unknown_metric_is_refused_before_any_work(captions):
    with pytest.raises(ValueError, match="accuracy"):
        evaluate(ToyEncoder(), read_captions(captions), metrics=("accuracy@5",))
