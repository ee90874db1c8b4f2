"""CLIP's vocabulary, from either of its published forms, gives open_clip's ids."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.tokenise import Tokeniser, read_rules
from lookalike.training.exporters.clip_vocabulary import from_folder, from_merges_list

QUERIES = (Path(__file__).parents[2] / "encoders" / "queries.txt").read_text(encoding="utf-8").splitlines()
PACKAGE = Path(importlib.util.find_spec("open_clip").origin).parent


@pytest.fixture(scope="module")
def vocabulary():
    return from_merges_list(PACKAGE / "bpe_simple_vocab_16e6.txt.gz")


def test_ids_are_those_of_open_clip(vocabulary):
    """Only its module `tokenizer` is loaded: the package's other modules want torchvision."""
    spec = importlib.util.spec_from_file_location("open_clip_tokenizer", PACKAGE / "tokenizer.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    ids, _ = Tokeniser(Tokenizer.from_str(vocabulary), read_rules({}), 0)(QUERIES)
    assert ids.tolist() == reference.tokenize(QUERIES).tolist()


def test_two_files_of_transformers_are_the_same_vocabulary(vocabulary, tmp_path):
    model = json.loads(vocabulary)["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"]), ""]
    (tmp_path / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    assert json.loads(from_folder(tmp_path)) == json.loads(vocabulary)
    (tmp_path / "tokenizer.json").write_text('{"already": "there"}', encoding="utf-8")
    assert from_folder(tmp_path) == '{"already": "there"}'


def test_a_folder_without_a_vocabulary_is_refused(tmp_path):
    with pytest.raises(EncoderBroken, match="no vocabulary of CLIP"):
        from_folder(tmp_path)
