"""ruCLIP's vocabulary gives the ids that YouTokenToMe gives; `tools/make_subword_reference.py` asked it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

import lookalike
from lookalike.core.errors import EncoderBroken
from lookalike.encoders.tokenise import TextRules, Tokeniser
from lookalike.training.exporters.subwords import read_subwords, tokeniser_json

REFERENCE = Path(__file__).with_name("youtokentome")
IDS = json.loads((REFERENCE / "ids.json").read_text(encoding="utf-8"))
LENGTH = 77


@pytest.fixture(scope="module")
def subwords():
    return read_subwords(REFERENCE / "bpe.model")


@pytest.fixture(scope="module")
def tokeniser(subwords):
    return Tokeniser(Tokenizer.from_str(tokeniser_json(subwords)), TextRules(length=LENGTH), subwords.filling)


def rows(ids):
    """As ruCLIP's processor cuts, closes and fills them."""
    cut = [[2, *row[: LENGTH - 2], 3] for row in ids]
    return [row + [0] * (LENGTH - len(row)) for row in cut]


def test_1000_russian_captions_have_the_reference_s_ids(tokeniser):
    lines = (Path(lookalike.__file__).parent / "training/data/captions.tsv").read_text(encoding="utf-8").splitlines()
    captions = [line.split("\t")[1] for line in lines if line.count("\t") and line.split("\t")[1]][:1000]
    assert len(captions) == len(IDS["captions"]) == 1000
    ids, _ = tokeniser(captions)
    assert ids.tolist() == rows(IDS["captions"])


def test_so_have_odd_texts(tokeniser):
    ids, _ = tokeniser([text for text, _ in IDS["odd"]])
    assert ids.tolist() == rows(each for _, each in IDS["odd"])


def test_the_mask_covers_what_is_not_filling(tokeniser):
    ids, mask = tokeniser(["кошка на окне", ""])
    assert (mask == (ids != 0)).all()
    assert mask.sum(axis=1).tolist() == [(ids[0] != 0).sum(), 2]


def test_special_ids_and_pieces_are_those_of_the_file(subwords):
    assert (subwords.filling, subwords.unknown, subwords.opening, subwords.closing) == (0, 1, 2, 3)
    assert len(subwords.pieces) == 1500 - 4
    assert subwords.pieces[min(subwords.pieces)] == "▁"


@pytest.mark.parametrize(
    "content",
    ["", "слова", "1 0\n97", "1 1\n97 4\n4 9 5\n1 0 2 3", "2 0\n97 4\n98 4\n1 0 2 3", "1 0\n97 4\n1 0 2"],
    ids=["empty", "words", "cut", "unknown part", "one id twice", "no closing token"],
)
def test_what_is_no_such_file_is_refused_with_its_name(content, tmp_path):
    path = tmp_path / "bpe.model"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(EncoderBroken, match=r"bpe\.model"):
        read_subwords(path)


def test_two_ids_for_the_same_letters_are_refused(tmp_path):
    """tokenizer.json knows a piece by its letters: "abc" of ab + c and of a + bc cannot both stand in it."""
    path = tmp_path / "bpe.model"
    path.write_text("3 4\n97 4\n98 5\n99 6\n4 5 7\n5 6 8\n7 6 9\n4 8 10\n1 0 2 3", encoding="utf-8")
    with pytest.raises(EncoderBroken, match="two ids for the same letters"):
        read_subwords(path)
