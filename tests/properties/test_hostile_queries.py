"""Whatever is written for a query, a page of it or an order, it is understood or refused by a typed error."""

from __future__ import annotations

import shutil
import string
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lookalike
from lookalike.cli.query_argument import read_query
from lookalike.core.errors import LookalikeError, QueryError
from lookalike.core.fields import FIELDS
from lookalike.core.records import PictureAt
from lookalike.engine.order import parse_order
from lookalike.engine.pages import Cursor
from lookalike.engine.query_language import MAX_TERMS, MAX_WEIGHT, parse_query
from lookalike.testing import ToyEncoder

TOGETHER, EXAMPLES = 25, 400
"""10,000 queries: so many are drawn at once, so often."""
PIECES = [
    "+", "-", " + ", " - ", " ", "  ", "\t", "\n", "\0", "\udcff", "\ud800", "\u2028", "\u202e", "\x1b[2J", "'", '"',
    "“", "”", "„", "«", "»", ":", "1:", "2:", "0:", "-1:", "1e9:", ".5:", "99999999:", "١:", "nan:", "inf:", "item:",
    "item:item:", "[", "]", "[1,2,3,4]", "[0%,0%,100%,100%]", "[1e3,2,3,4]", "[,,,]", "[99999999999,0,1,1]",
    "[-1,0,1,1]", "./photo.jpg", "photo.jpg", "../../etc/passwd", "/etc/passwd", "C:\\x.jpg", "~", "~root/.ssh/id.png",
    "file:", "file://[", "http://", "https://127.0.0.1/a.jpg", "HTTP://[::1", "--", "--text", "$(reboot)", "`id`", "%s",
    "{0}", "'; DROP TABLE items;--", "dog", "собака", "犬", "🐕", "é", "e\u0301", "a" * 300, "0", "-0", "1/0",
]  # fmt: skip
QUERIES = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join),
    st.text(st.characters(codec=None), max_size=30),
    st.text(st.sampled_from(string.punctuation + string.digits + " ab\n"), max_size=40),
)
MANY = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def fetched(address):
    assert address.lower().startswith(("http://", "https://"))
    return b"picture"


def understood(asked, **functions):
    """The terms; nothing for a query that is refused, as it should be."""
    refused: list[QueryError] = []
    try:
        terms = parse_query(asked, **functions)
    except QueryError as error:
        refused.append(error)
    for error in refused:
        assert str(error).count("\n") in {0, 2}
        assert all(line.isprintable() for line in str(error).split("\n"))
        assert len(str(error)) < 300
        return ()
    assert 0 < len(terms) <= MAX_TERMS
    assert all(0 < abs(term.weight) <= MAX_WEIGHT for term in terms)
    return terms


@MANY
@given(st.lists(QUERIES, min_size=TOGETHER, max_size=TOGETHER))
def test_queries_are_understood_or_refused(queries):
    for query in queries:
        for asked in (query, query.split(" "), [query]):
            kinds = {term.kind for term in understood(asked)}
            assert kinds <= {"text", "item"}, "a stranger's query read a file or an address"
            terms = understood(asked, picture_at=Path, fetch=fetched)
            assert all(isinstance(term.value, PictureAt if term.kind == "picture" else str) for term in terms)


@pytest.fixture(scope="module")
def asked_collection(drawn, tmp_path_factory):
    with lookalike.open(tmp_path_factory.mktemp("asked") / "c.lookalike", encoder=ToyEncoder()) as opened:
        list(opened.sync([drawn]))
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory, drawn):
    path = tmp_path_factory.mktemp("hostile")
    shutil.copy(min(drawn.iterdir()), path / "photo.jpg")
    return path


@settings(MANY, max_examples=EXAMPLES // 20)
@given(queries=st.lists(QUERIES, min_size=TOGETHER, max_size=TOGETHER), as_picture=st.booleans())
def test_the_command_line_asks_a_collection_or_refuses(queries, as_picture, asked_collection, folder):
    """One in twenty goes through the command line's guesses, and what is understood is asked of a collection."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for query in queries:
            words = query.split(" ")
            refused: list[Exception] = []
            try:
                asked_collection.search(read_query(words, as_text=False, as_picture=as_picture, fetch=None), 3)
            except (LookalikeError, click.UsageError) as error:
                refused.append(error)
            assert all(str(error) for error in refused)


@settings(MANY, max_examples=EXAMPLES // 4)
@given(st.lists(QUERIES, min_size=TOGETHER, max_size=TOGETHER))
def test_orders_and_cursors_are_understood_or_refused(texts):
    for text in texts:
        for read in (lambda each: parse_order(each, FIELDS), lambda each: Cursor.decode(each, query=bytes(8))):
            refused: list[QueryError] = []
            try:
                read(text)
            except QueryError as error:
                refused.append(error)
            assert all(str(error) for error in refused)
