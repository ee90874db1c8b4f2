"""Token ids are those each family was trained with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.clean import clean
from lookalike.encoders.tokenise import TextRules, language_token, open_tokeniser, read_rules

HERE = Path(__file__).parent
LINES = (HERE / "queries.txt").read_text(encoding="utf-8").splitlines()
QUERIES = [text for line in LINES for text in (line, f"  A photo of: {line}!\n")]
QUERIES += [line.upper() for line in LINES if "&" not in line]  # entities shouted in capitals are left as they are


@pytest.fixture(scope="module")
def reference():
    """open_clip's answers, from a process of its own."""
    told = subprocess.run(
        [sys.executable, HERE / "open_clip_reference.py"],
        input=json.dumps(QUERIES).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(told.stdout)


def test_clip_ids_equal_open_clips_on_languages_and_emoji(clip_tokenizer, reference):
    assert len(QUERIES) >= 200
    tokeniser = open_tokeniser(clip_tokenizer, read_rules({"text_cfg": {"vocab_size": 49408}}))
    ids, mask = tokeniser(QUERIES)
    for query, row, expected in zip(QUERIES, ids.tolist(), reference["ids"], strict=True):
        assert row == expected, query
    assert ids.shape == mask.shape == (len(QUERIES), 77)


@pytest.mark.parametrize("how", ["whitespace", "canonicalize"])
def test_cleaning_equals_open_clips(reference, how):
    for query, expected in zip(QUERIES, reference["cleaned"][how], strict=True):
        assert clean(query, how) == expected, query


def test_a_special_token_in_a_query_is_text(clip_tokenizer):
    tokeniser = open_tokeniser(clip_tokenizer, TextRules("lower", 77, 0))
    ids = tokeniser(["<|endoftext|> a dog"])[0][0].tolist()
    assert ids.count(49407) == 1


def test_lone_surrogates_do_not_stop_a_query(clip_tokenizer):
    tokeniser = open_tokeniser(clip_tokenizer, TextRules("lower", 77, 0))
    assert tokeniser(["a \ud83d dog", "\ud83d\udc36"])[0].shape == (2, 77)


def small_tokeniser(folder, *, special, template, pad="<pad>", config=True):
    """A tokeniser of SentencePiece's kind, trained on the queries, with the family's special tokens and template."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=600, special_tokens=list(special), unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template,
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in template.split() if token != "$A"],
    )
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": pad}), encoding="utf-8")
    return tokenizer


SIGLIP2 = {
    "text_cfg": {
        "context_length": 64,
        "hf_tokenizer_name": "timm/ViT-B-32-SigLIP2-256",
        "tokenizer_kwargs": {"clean": "canonicalize"},
    }
}


def test_siglip_is_always_padded_to_64_lower_cased_and_without_punctuation(tmp_path):
    tokenizer = small_tokeniser(tmp_path, special=["<pad>", "<eos>", "<bos>", "<unk>"], template="$A <eos>")
    tokeniser = open_tokeniser(tmp_path, read_rules(SIGLIP2))
    shouted, plain = tokeniser(["A DOG, in_the snow!", "a dog in the snow"])[0].tolist()
    assert shouted == plain
    assert len(plain) == 64
    body = tokenizer.encode("a dog in the snow").ids
    assert plain[: len(body)] == body
    assert plain[len(body) - 1] == tokenizer.token_to_id("<eos>")
    assert set(plain[len(body) :]) == {tokenizer.token_to_id("<pad>")}


def test_siglip_by_its_name_alone_has_the_same_rules():
    rules = read_rules({"text_cfg": {"hf_tokenizer_name": "timm/ViT-B-16-SigLIP"}})
    assert (rules.cleaning, rules.length) == ("canonicalize", 64)


def test_a_long_text_is_cut_and_keeps_its_closing_token(tmp_path):
    tokenizer = small_tokeniser(tmp_path, special=["<pad>", "<eos>", "<bos>", "<unk>"], template="$A <eos>")
    ids, mask = open_tokeniser(tmp_path, read_rules(SIGLIP2))(["a dog in the snow " * 30])
    assert ids.shape == (1, 64)
    assert ids[0, -1] == tokenizer.token_to_id("<eos>")
    assert mask.all()


def test_xlm_roberta_keeps_case_and_pads_to_77_with_its_own_token(tmp_path):
    tokenizer = small_tokeniser(tmp_path, special=["<s>", "<pad>", "</s>", "<unk>"], template="<s> $A </s>")
    rules = read_rules({"text_cfg": {"hf_model_name": "xlm-roberta-base", "hf_tokenizer_name": "xlm-roberta-base"}})
    ids, mask = open_tokeniser(tmp_path, rules)(["Кіт  спить", "кіт спить"])
    assert ids.shape == (2, 77)
    assert ids[0].tolist() != ids[1].tolist()
    body = tokenizer.encode("Кіт спить").ids
    assert ids[0, : len(body)].tolist() == body
    assert set(ids[0, len(body) :]) == {1}
    np.testing.assert_array_equal(mask[0], np.arange(77) < len(body))


def test_nllb_opens_with_the_token_of_the_querys_language(tmp_path):
    languages = ["eng_Latn", "ukr_Cyrl", "rus_Cyrl"]
    special = ["<s>", "<pad>", "</s>", "<unk>", *languages]
    tokenizer = small_tokeniser(tmp_path, special=special, template="eng_Latn $A </s>")
    rules = read_rules({"text_cfg": {"hf_tokenizer_name": "facebook/nllb-200-distilled-600M"}})
    ids, _ = open_tokeniser(tmp_path, rules)(["a dog", "їжак спить", "собака спит"])
    assert ids[:, 0].tolist() == [tokenizer.token_to_id(language) for language in languages]
    body = tokenizer.encode("їжак спить").ids
    assert ids[1, 1 : len(body)].tolist() == body[1:]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "eng_Latn"),
        ("123 !", "eng_Latn"),
        ("a dog in the snow", "eng_Latn"),
        ("собака бежит", "rus_Cyrl"),
        ("кіт спить", "ukr_Cyrl"),
        ("у снезе, ў лесе і ў полі", "bel_Cyrl"),
        ("Straße", "deu_Latn"),
        ("犬が走る", "jpn_Jpan"),
        ("一只狗", "zho_Hans"),
        ("눈 속을 달리는 개", "kor_Hang"),
        ("ο σκύλος", "ell_Grek"),
    ],
)
def test_a_language_is_told_by_its_letters(text, language):
    assert language_token(text) == language


def test_the_filling_token_is_found_without_a_configuration_file(tmp_path):
    tokenizer = small_tokeniser(
        tmp_path, special=["<s>", "<pad>", "</s>", "<unk>"], template="<s> $A </s>", config=False
    )
    rules = TextRules("whitespace", 16)
    assert open_tokeniser(tmp_path, rules)(["x"])[0][0, -1] == tokenizer.token_to_id("<pad>")


def test_own_keys_of_the_configuration_come_first():
    rules = read_rules({"text_cfg": {"clean": "none", "context_length": 24, "pad_id": 3}})
    assert rules == TextRules("none", 24, 3, language=False)


def test_an_unknown_cleaning_and_a_damaged_tokeniser_are_said(tmp_path):
    with pytest.raises(EncoderBroken, match="shuffle"):
        read_rules({"text_cfg": {"clean": "shuffle"}})
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(EncoderBroken, match=r"tokenizer\.json"):
        open_tokeniser(tmp_path, TextRules())
