"""The recipe `metric`: what it chooses, says and writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.training.drawn_classes import draw_classes

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import SourceError
from lookalike.encoders.derived import Derived, open_derived
from lookalike.encoders.onnx_encoder import read_json
from lookalike.training.material import Material
from lookalike.training.measuring import by_pictures
from lookalike.training.metric_recipe import METRIC, Settings, tune
from lookalike.training.splits import TEST, TRAIN, VALIDATION, split_by_group


def drawn(nuisance=3.0, classes=30, *, texts=True):
    """Labelled pictures in which what disturbs is louder than what tells; texts say it, and lie elsewhere."""
    vectors, labels = draw_classes(0, nuisance=nuisance, classes=classes)
    count = len(labels) if texts else 0
    said = np.stack([vectors[labels == label].mean(axis=0) for label in labels]) - 0.5
    said /= np.linalg.norm(said, axis=1, keepdims=True)
    return Material(
        "toy-0123456789ab",
        tuple(f"/pictures/{number}.jpg" for number in range(len(labels))),
        vectors[:, None].astype(np.float16),
        said[:count].astype(np.float32),
        np.arange(count),
        tuple(f"kind {labels[row]}, piece {row}" for row in range(count)),
        labels,
        tuple(f"kind {number}" for number in range(classes)),
        np.arange(len(labels)),
        split_by_group(np.arange(len(labels)), labels, (0.4, 0.3, 0.3), seed=1),
    )


@pytest.fixture(scope="module")
def material():
    return drawn()


@pytest.fixture(scope="module")
def tuned(material):
    return tune((material,), Settings(), lambda _: None)


class Base:
    """What a recipe asks of an encoder."""

    id = name = "toy-0123456789ab"
    dim = 12
    modalities = frozenset({"image", "text"})
    tolerance = 1e-4
    image_side = 8

    def encode_texts(self, texts):
        return unit_vectors(np.random.default_rng(len(texts)).standard_normal((len(texts), 12)) + 3.0)


def test_what_disturbs_is_left_out_and_pictures_find_their_kind(tuned):
    pictures = tuned.compared[0]
    gain = pictures.differences()[METRIC]
    assert pictures.what == "picture -> picture"
    assert tuned.better
    assert gain.sure
    assert gain.mean > 0.2
    assert tuned.about["chosen"]["method"] not in {"plain", "centred"}


def test_words_go_on_finding_pictures(tuned):
    words = tuned.compared[1]
    assert words.what == "words -> picture"
    assert words.after.values[METRIC].mean() > words.before.values[METRIC].mean()


def test_all_settings_tried_are_told_with_the_chosen_one_marked(tuned):
    table = tuned.sections[0].parts[0]
    figures = [float(row[1]) for row in table.rows]
    assert len(figures) > 20
    assert {figures[row] for row in table.marked} == {max(figures)}
    assert table.header[-1] == "words"
    assert all(row[2] != "-" for row in table.rows)


def test_the_encoder_written_makes_what_was_measured(tuned, material, tmp_path):
    tuned.write(tmp_path / "mine", (Base(),))
    config = read_json(tmp_path / "mine" / "config.json")
    opened = open_derived(tmp_path / "mine", config, Base(), name="mine", id="mine-1")
    assert isinstance(opened, Derived)
    assert config["about"]["recipe"] == "metric"
    found = by_pictures(material, TEST, opened.derive(material.whole()))
    assert np.allclose(found.values[METRIC], tuned.compared[0].after.values[METRIC])


def test_without_texts_words_lie_about_the_names_of_the_kinds(tmp_path):
    silent = drawn(texts=False)
    tune((silent,), Settings(method="wccn"), lambda _: None).write(tmp_path / "mine", (Base(),))
    opened = open_derived(
        tmp_path / "mine", read_json(tmp_path / "mine" / "config.json"), Base(), name="mine", id="mine-1"
    )
    names = opened.encode_texts(silent.label_names)
    assert np.linalg.norm(names.mean(axis=0)) < 0.5


def test_a_metric_that_brings_nothing_is_said_to_be_no_better():
    same = tune((drawn(),), Settings(method="plain"), lambda _: None)
    assert not same.better
    assert same.verdict.startswith("no better than the base")


def test_new_kinds_are_chosen_for_when_that_is_asked(material):
    told = []
    tuned = tune((material,), Settings(method="wccn", classes="new"), told.append)
    rows = tuned.sections[0].parts[0].rows
    assert {rows[row][2] for row in tuned.sections[0].parts[0].marked} == {max(row[2] for row in rows)}
    assert len(told) == 1


def test_what_costs_words_is_passed_over_and_said_unless_words_do_not_count(material):
    random = np.random.default_rng(1)
    own = unit_vectors(material.whole() + 0.3 * random.standard_normal(material.texts.shape))
    of_single_pieces = replace(material, texts=own)
    lines, chosen = [], []
    for share in (0.0, 0.9):
        table = tune((of_single_pieces,), Settings(keep_words=share), lines.append).sections[0].parts[0]
        chosen.append([float(cell) for cell in table.rows[next(iter(table.marked))][1:]])
    careless, careful = chosen
    assert careless[0] > careful[0]
    assert careless[2] < careful[2]
    assert "--set keep_words=0 takes it" in lines[-1]


def rare(*, labels, split, texts=True):
    """The first pictures of a drawn material, labelled and split as said."""
    whole, count = drawn(texts=texts), len(labels)
    kept = whole.only(whole.uris[:count])
    return replace(kept, labels=np.array(labels), split=np.array(split, dtype=np.uint8))


def test_kinds_of_one_picture_do_not_count_as_kinds_that_can_be_held_out():
    few = rare(
        labels=[0] * 16 + [1] * 16 + [2, 3, 4, 5],
        split=([TRAIN] * 12 + [VALIDATION, VALIDATION, TEST, TEST]) * 2 + [TRAIN] * 4,
    )
    tuned = tune((few,), Settings(), lambda _: None)
    assert {row[2] for row in tuned.sections[0].parts[0].rows} == {"-"}


def test_a_proxy_loss_without_two_pictures_of_a_kind_to_validate_on_says_so():
    few = rare(labels=[0] * 12 + [1] * 12 + [0, 1, 2], split=[TRAIN] * 24 + [VALIDATION] * 3)
    with pytest.raises(SourceError, match="no two pictures of one kind"):
        tune((few,), Settings(method="softmax"), lambda _: None)


def test_labelled_pictures_that_cannot_judge_are_not_called_unlabelled():
    few = rare(labels=[0] * 12 + [1] * 12 + [0, 1, 2], split=[TRAIN] * 24 + [VALIDATION] * 3, texts=False)
    tuned = tune((few,), Settings(), lambda _: None)
    assert "no two of the pictures held out are of one kind" in tuned.verdict


def test_a_gain_that_the_test_part_does_not_share_is_not_sure(material):
    """Labels of the test part at random, or none: what validation chose and is sure of, the test part does not say."""
    tested = material.split == TEST
    drawn_anew, none = material.labels.copy(), np.where(tested, -1, material.labels)
    drawn_anew[tested] = np.random.default_rng(0).permutation(drawn_anew[tested])
    for labels, said in ((drawn_anew, "on test"), (none, "nothing can be asked on test")):
        tuned = tune((replace(material, labels=labels),), Settings(method="wccn"), lambda _: None)
        assert not tuned.better
        assert tuned.verdict.startswith("no better than the base")
        assert said in tuned.verdict


def test_too_few_kinds_cannot_be_held_out():
    with pytest.raises(SourceError, match="too few to hold some out"):
        tune((drawn(classes=3),), Settings(classes="new"), lambda _: None)


def test_a_proxy_loss_is_a_method_too():
    tuned = tune((drawn(nuisance=1.5),), Settings(method="soft-triple", epochs=25, lr=0.03), lambda _: None)
    assert tuned.better
    assert tuned.about["chosen"]["loss"] == "soft-triple"


def test_unlabelled_pictures_of_the_training_part_are_tried(material):
    labels = np.where((material.split == TRAIN) & (np.arange(len(material.uris)) % 12 > 1), -1, material.labels)
    many = replace(material, labels=labels, split=np.where(np.arange(len(labels)) % 12 < 10, material.split, TRAIN))
    assert (labels[many.split == TRAIN] == -1).sum() < 300
    tuned = tune((many,), Settings(method="glrt"), lambda _: None)
    assert not any("clusters" in row[0] for row in tuned.sections[0].parts[0].rows)


def test_without_labels_clusters_stand_for_them_and_words_judge():
    blind = replace(drawn(nuisance=0.3, classes=70), labels=None, label_names=())
    tuned = tune((blind,), Settings(), lambda _: None)
    assert [each.what for each in tuned.compared] == ["words -> picture"]
    assert tuned.about["chosen"]["labels"] == "clusters"


def test_without_labels_and_texts_nothing_can_judge():
    blind = replace(drawn(classes=70, texts=False), labels=None, label_names=())
    tuned = tune((blind,), Settings(), lambda _: None)
    assert not tuned.better
    assert "no labels and no texts" in tuned.verdict


def test_without_labels_and_with_few_pictures_there_is_nothing_to_learn_from():
    with pytest.raises(SourceError, match="no labels to learn a metric from"):
        tune((replace(drawn(), labels=None),), Settings(), lambda _: None)


@pytest.mark.parametrize("said", [{"method": "euclid"}, {"classes": "all"}])
def test_what_cannot_be_meant_is_refused(said):
    with pytest.raises(ValueError, match=f"{next(iter(said))}={next(iter(said.values()))}:"):
        Settings(**said)
