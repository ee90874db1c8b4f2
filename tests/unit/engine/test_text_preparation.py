"""Texts as an encoder is given them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lookalike.engine.text_preparation import TextPreparation, lemma


def test_nothing_is_done_unless_asked_for():
    assert TextPreparation().query_text("  The Red Dresses ") == "  The Red Dresses "
    assert TextPreparation().item_text({"title": "The Red Dresses", "brand": "x"}) == "The Red Dresses"
    assert TextPreparation().item_text({}) == ""


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"title": "Shirt", "category": "Topwear", "colour": "red"}, "Shirt, Topwear (red)"),
        ({"title": "Shirt", "colour": "red"}, "Shirt (red)"),
        ({"title": "Shirt", "category": "Topwear"}, "Shirt, Topwear"),
        ({"category": "Topwear", "colour": " "}, "Topwear"),
        ({}, ""),
    ],
)
def test_a_template_leaves_out_what_an_item_lacks_with_the_marks_around_it(fields, text):
    assert TextPreparation(template="{title}, {category} ({colour})").item_text(fields) == text


def test_words_of_a_template_stay():
    prepared = TextPreparation(template="a photo of {title}")
    assert prepared.item_text({"title": "boots"}) == "a photo of boots"
    assert prepared.fields() == ("title",)


def test_stop_words_of_three_languages_go_but_never_all_words():
    prepared = TextPreparation(stop_words=True)
    assert prepared.query_text("a shirt for the men") == "shirt men"
    assert prepared.query_text("сумка из кожи, на лето") == "сумка кожи лето"
    assert prepared.query_text("сукня з шовку") == "сукня шовку"
    assert prepared.query_text("the a of") == "the a of"
    assert prepared.query_text("!?") == "!?"


@pytest.mark.parametrize(
    ("word", "ground"),
    [
        ("dresses", "dress"),
        ("watches", "watch"),
        ("boxes", "box"),
        ("babies", "baby"),
        ("women's", "woman"),
        ("shoes", "shoe"),
        ("jeans", "jeans"),
        ("dress", "dress"),
        ("gas", "gas"),
        ("m-65", "m-65"),
        ("красных", "красный"),
        ("туфлями", "туфля"),
    ],
)
def test_ground_forms(word, ground):
    assert lemma(word) == ground


def test_ukrainian_words_have_their_own_dictionary():
    prepared = TextPreparation(lemmas=True)
    assert prepared.query_text("жіночі сукні") == "жіночий сукня"


def test_without_the_dictionaries_what_to_install_is_said():
    """In a process of its own, in which the package cannot be imported."""
    code = (
        "import sys; sys.modules['pymorphy3'] = None\n"
        "from lookalike.core.errors import MissingExtra\n"
        "from lookalike.engine.text_preparation import lemma\n"
        "try:\n    lemma('сумки')\nexcept MissingExtra as error:\n    print(error.hint)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == 'pip install "lookalike[lemmas]"'
    assert lemma("bags") == "bag"
