"""Folded texts answer what a loop over the texts answers."""

from __future__ import annotations

import operator

import numpy as np
import pytest

from lookalike.core.conditions import folded
from lookalike.store.folded_texts import END, FoldedTexts

TEXTS = [
    "Beach",
    "beach",
    "",
    None,
    "BEACH ball",
    "ball",
    "Ёлка",
    "ёлка и пляж",
    "naïve",
    "nai\u0308ve",
    "aab",
    "aaab",
    None,
]
ASKED = ["beach", "ball", "b", "ёлка", "пляж", "naïve", "aab", "h ball", "", "beachbeach", "x"]


@pytest.fixture
def texts() -> FoldedTexts:
    written = [b"" if text is None else folded(text) + END for text in TEXTS]
    starts = np.cumsum([0, *map(len, written)], dtype=np.int64)
    return FoldedTexts(starts, np.frombuffer(b"".join(written), dtype=np.uint8))


@pytest.mark.parametrize("asked", ASKED)
def test_answers_are_those_of_a_loop(texts, asked):
    wanted = folded(asked)
    there = [None if text is None else folded(text) for text in TEXTS]
    assert texts.equal(wanted).tolist() == [text == wanted for text in there]
    assert texts.containing(wanted).tolist() == [text is not None and wanted in text for text in there]
    for op, compare in {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}.items():
        assert texts.compared(op, wanted).tolist() == [text is not None and compare(text, wanted) for text in there]


def test_capitals_and_how_accents_are_written_make_no_difference():
    assert folded("MEN") == folded("men")
    assert folded("ПЛЯЖ") == folded("пляж")
    assert folded("na\u00efve") == folded("nai\u0308ve")
    assert folded("Straße") == folded("STRASSE")
    assert folded("\ud800") == b"\xed\xa0\x80"


def test_no_texts_at_all():
    none = FoldedTexts(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8))
    assert none.equal(b"x").tolist() == none.containing(b"x").tolist() == none.compared("<", b"x").tolist() == []
