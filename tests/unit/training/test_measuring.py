"""What is asked of a part, and of whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from turned_material import turned

from lookalike.training.measuring import LEAST_NEW, by_pictures, by_words, questions_of, spoken
from lookalike.training.splits import TEST, TRAIN


def test_each_text_is_asked_once_and_all_its_pictures_are_right():
    material = turned()
    rows = material.pairs(TEST)
    sayings = list(material.sayings)
    sayings[rows[0]], sayings[rows[1]] = "Twice  said", "twice said"
    questions = questions_of(replace(material, sayings=tuple(sayings)), TEST)
    assert len(questions.texts) == len(rows) - 1
    asked = int(np.flatnonzero(questions.texts == rows[0])[0])
    assert material.text_of[rows[:2]].tolist() == questions.pictures[questions.right[asked]].tolist()


def test_texts_that_were_learned_from_are_not_asked():
    material = turned()
    sayings = list(material.sayings)
    known = material.pairs(TEST)[0]
    sayings[known] = sayings[material.pairs(TRAIN)[0]].upper()
    questions = questions_of(replace(material, sayings=tuple(sayings)), TEST)
    assert questions.new
    assert known not in questions.texts
    assert len(questions.texts) == len(material.pairs(TEST)) - 1


def test_where_every_text_was_learned_from_all_are_asked_and_it_is_said():
    material = turned()
    few = replace(material, sayings=tuple(f"kind {row % (LEAST_NEW - 1)}" for row in range(len(material.uris))))
    questions = questions_of(few, TEST)
    assert not questions.new
    assert len(questions.texts) > 0


def test_words_find_their_picture_where_both_sides_fit():
    material = turned(angle=0.0)
    found = by_words(questions_of(material, TEST), material.whole(), material.texts)
    assert found.means()["hit@1"] == pytest.approx(1.0)
    assert found.values["cosine_right"].min() > 0.8


def test_of_copies_only_the_first_answers():
    material = turned()
    copied = replace(material, groups=np.where(material.split == TEST, material.pictures(TEST)[0], material.groups))
    assert by_pictures(copied, TEST, material.whole()).queries == 0
    assert by_pictures(material, TEST, material.whole()).queries == len(material.pictures(TEST))


def test_pictures_without_a_label_take_no_part():
    material = turned()
    assert by_pictures(replace(material, labels=None), TEST, material.whole()).queries == 0
    half = np.where(np.arange(len(material.uris)) % 2, material.labels, -1)
    asked = by_pictures(replace(material, labels=half), TEST, material.whole())
    assert asked.queries + asked.left_out == int((half[material.pictures(TEST)] >= 0).sum())


def test_case_and_white_space_make_no_other_question():
    assert spoken(" A Red\tshirt ") == spoken("a red shirt")
