"""What errors say has words in every language, with the same values; English is what programs are told."""

from __future__ import annotations

import ast
import pickle
import string
import tomllib
from pathlib import Path

import pytest

from lookalike.core.errors import QueryError
from lookalike.core.languages import LANGUAGES
from lookalike.core.wording import Wording, said

SOURCES = Path(__file__).parents[3] / "src" / "lookalike"
WORDS = tomllib.loads((SOURCES / "core" / "wording.toml").read_text(encoding="utf-8"))
FORMS = ("_one", "_few", "_many")


def values_in(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def wordings_in_code() -> dict[str, set[str]]:
    """Codes that the code says by name, with the values that it gives them."""
    found: dict[str, set[str]] = {}
    for path in SOURCES.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in {"Wording", "wording.Wording"}:
                code = call.args[0]
                for each in [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]:
                    if isinstance(each, ast.Constant):
                        found.setdefault(each.value, set()).update(given.arg for given in call.keywords)
    return found


def test_every_language_says_the_same_with_the_same_values():
    assert set(WORDS) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(WORDS[language]) == set(WORDS["en"])
        assert {code: values_in(words) for code, words in WORDS[language].items()} == {
            code: values_in(words) for code, words in WORDS["en"].items()
        }


def test_every_wording_in_the_code_has_words_for_just_the_values_it_gives():
    for code, values in wordings_in_code().items():
        in_forms = [f"{code}{form}" for form in FORMS if code not in WORDS["en"]]
        for name in in_forms or [code]:
            assert values_in(WORDS["en"][name]) == values, name


def test_every_word_is_said_by_the_code():
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    names = {code: [code, *(code.removesuffix(form) for form in FORMS)] for code in WORDS["en"]}
    assert [code for code, said in names.items() if not any(f'"{each}"' in text for each in said)] == []


@pytest.mark.parametrize(
    ("language", "n", "words"),
    [
        ("en", 1, "come back in 1 second"),
        ("ru", 1, "повторите через 1 секунду"),
        ("ru", 3, "повторите через 3 секунды"),
        ("uk", 12, "повторіть через 12 секунд"),
    ],
)
def test_what_is_counted_stands_in_the_form_of_its_language(language, n, words):
    assert Wording("come_back", n=n).in_language(language) == words


def test_a_wording_inside_another_is_said_in_its_language_and_numbers_are_written_in_it():
    told = Wording("picture_unusable", why=Wording("too_many_pixels", width="30", height="20", most=100_000))
    assert str(told) == "the picture cannot be used: 30 x 20 pixels, more than the limit of 100,000"
    assert told.in_language("uk") == "картинка не підходить: у ній 30 × 20 пікселів, а можна не більше ніж 100\xa0000"


def test_an_error_says_english_and_keeps_what_it_was_given():
    error = QueryError(Wording("no_item", given="p1"), hint=Wording("item_named_by"))
    assert str(error) == "there is no item p1 in this collection"
    assert error.hint.startswith("an item is named by its id")
    assert [said(each, "ru").split()[0] for each in error.said] == ["в", "укажите"]
    again = pickle.loads(pickle.dumps(error))
    assert said(again.said[0], "ru") == said(error.said[0], "ru")


def test_text_stays_as_it_is_in_every_language():
    assert said("the disk broke", "ru") == "the disk broke"
