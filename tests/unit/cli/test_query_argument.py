"""`search` takes an argument for what a person means by it, and says so where that could surprise."""

from __future__ import annotations

import io
import sys
from contextlib import suppress

import click
import pytest

from lookalike.cli.query_argument import read_query
from lookalike.core.errors import QueryError, SourceError


def terms(*words, text=False, image=False, fetch=None):
    return read_query(words, as_text=text, as_picture=image, fetch=fetch)


def read(*words, **how):
    """What a query of one term is: words, or where its picture is."""
    (term,) = terms(*words, **how)
    return term.value if term.kind == "text" else term.value.source


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a picture, a file and folders whose names are also words."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(b"")
    (tmp_path / "dog").mkdir()
    (tmp_path / "snow").write_bytes(b"")
    (tmp_path / "dog" / "noname").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("words", ["a dog in the snow", "dog", "snow", "24/7 shop", "black/white", "собака"])
def test_words_are_words_even_beside_a_file_of_that_name(words):
    assert read(words) == words


def test_words_without_quotes_are_one_question():
    assert read("a", "dog", "in", "the", "snow") == "a dog in the snow"


@pytest.mark.parametrize("argument", ["photo.jpg", "./photo.jpg", "dog/noname"])
def test_an_existing_file_with_a_separator_or_a_pictures_suffix_is_a_picture(argument):
    assert read(argument).is_file()


def test_home_is_understood_inside_quotes(here, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    assert read("~/photo.jpg") == here / "photo.jpg"


def test_an_address_as_file_managers_copy_it_is_a_picture(here):
    assert read((here / "photo.jpg").as_uri()) == here / "photo.jpg"


@pytest.mark.parametrize("argument", ["./missing.jpg", "/missing", "dog/missing.png", "~/missing"])
def test_a_path_that_is_not_there_is_an_error_not_a_question(argument):
    with pytest.raises(SourceError, match="there is no picture") as caught:
        read(argument)
    assert "--text" in caught.value.hint


def test_a_name_with_a_suffix_and_no_file_is_words_and_said_aloud(capsys):
    assert read("holiday.jpg") == "holiday.jpg"
    assert "holiday.jpg" in capsys.readouterr().err


def test_a_folder_is_no_question(here):
    with pytest.raises(click.UsageError, match="--in"):
        read("./dog")


def test_text_and_image_decide_against_the_guess(here):
    assert read("photo.jpg", text=True) == "photo.jpg"
    assert read("snow", image=True).name == "snow"
    with pytest.raises(SourceError, match="does not exist"):
        read("nothing", image=True)
    with pytest.raises(click.UsageError, match="contradict"):
        read("photo.jpg", text=True, image=True)


def test_a_sign_between_words_and_pictures_adds_and_subtracts(here):
    assert [(term.kind, term.weight, term.label) for term in terms("a", "dog", "+", "2:photo.jpg", "-", "snow")] == [
        ("text", 1, ""),
        ("picture", 2, "photo.jpg"),
        ("text", -1, ""),
    ]


def test_an_argument_in_quotes_is_words_whatever_signs_stand_in_it_and_that_is_said(capsys):
    assert read("black - white") == "black - white"
    assert "to add and subtract" in capsys.readouterr().err
    assert read("t-shirt") == "t-shirt"
    assert capsys.readouterr().err == ""


def test_pictures_without_a_sign_between_them_are_refused(here):
    (here / "other.png").write_bytes(b"")
    with pytest.raises(QueryError, match=r"no \+ or - is between"):
        read("photo.jpg", "other.png")


@pytest.mark.parametrize("words", [("dog", "-"), ("dog", "+", "-"), ("-", "+", "dog")])
def test_standard_input_is_the_whole_query_or_none_of_it(words):
    with pytest.raises(QueryError, match="sign") as caught:
        terms(*words)
    assert "standard input only where" in caught.value.hint


def test_with_image_every_term_is_a_picture(here):
    assert [term.value.source.name for term in terms("snow", "-", "dog/noname", image=True)] == ["snow", "noname"]


@pytest.mark.parametrize(
    "argument", ["file:[", "file://[/a.jpg", "\0.jpg", "a" * 5000 + ".jpg", "\udcff.jpg", ".\ud800", "~\0/x"]
)
def test_odd_names_are_words_or_an_error_of_ours(argument):
    for image in (False, True):
        with suppress(SourceError):
            read(argument, image=image)


def test_nothing_is_fetched_unless_allowed():
    address = "https://example.org/a.jpg"
    with pytest.raises(click.UsageError, match="--allow-url"):
        read(address)
    assert read(address, text=True) == address
    assert read(address, fetch=lambda asked: asked.encode()) == address.encode()


def test_a_dash_is_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"picture")))
    assert read("-") == b"picture"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(SourceError, match="empty"):
        read("-")
