"""Words are gathered once, and classes called the same are one concept."""

from __future__ import annotations

from lookalike.training.vocabulary import open_for_training, train_tokeniser
from lookalike.training.words import Words, class_names, names_of, synonyms

NAMES = class_names()


def test_a_text_has_one_number_however_it_is_spaced():
    words = Words()
    assert words.number("a  dog\n") == words.number(" a dog")
    assert words.texts == ["a dog"]


def test_classes_of_the_same_name_are_one_concept(tmp_path):
    words = Words()
    first = words.concept(["dalmatian"], ["{}"], "dalmatian")
    second = words.concept(["dalmatian", "coach dog"], ["a {}"], "dalmatian")
    assert first == second
    assert [words.texts[number] for number in words.concepts[first]] == ["dalmatian", "a dalmatian", "a coach dog"]
    words.write(tmp_path / "words.json")
    assert Words.read(tmp_path / "words.json") == words


def test_names_come_from_the_table_from_wordnet_or_from_the_folder():
    wordnet = {"n01440764": "tench, Tinca tinca, doctor fish, and more"}
    assert names_of("tiny", "n01440764", NAMES, wordnet) == ["tench", "Tinca tinca", "doctor fish"]
    assert names_of("caltech", "car_side", NAMES, wordnet)[0] == "car"
    assert names_of("caltech", "grand_piano", NAMES, wordnet) == ["grand piano"]
    assert names_of("sea", "Jelly Fish", NAMES, wordnet)[0] == "jellyfish"
    assert synonyms("a, b , c, d") == ["a", "b", "c"]


def test_case_underscores_and_width_do_not_matter_to_the_tokeniser():
    tokeniser = open_for_training(train_tokeniser(["a grand piano", "a piano on a stage"], 300, 12))
    plain = tokeniser.encode("grand piano").ids
    assert tokeniser.encode("Grand_Piano").ids == plain
    assert tokeniser.encode("ｇｒａｎｄ piano").ids == plain


def test_no_text_is_unknown_and_rows_have_one_length():
    from tokenizers import Tokenizer

    tokeniser = Tokenizer.from_str(train_tokeniser(["a dog"], 300, 12))
    rows = [tokeniser.encode(text).ids for text in ("", "🐕 на снегу", "dog " * 50)]
    assert {len(row) for row in rows} == {12}
    assert rows[0] == [1, 2] + [0] * 10
    assert tokeniser.decode(rows[1]).strip() == "🐕 на"[: len(tokeniser.decode(rows[1]).strip())]
