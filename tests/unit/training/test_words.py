"""Words are gathered once, and classes called the same are one concept."""

from __future__ import annotations

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
