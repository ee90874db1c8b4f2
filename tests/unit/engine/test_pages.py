"""Pages: nothing twice, nothing lost, whatever happens to the collection between them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from lookalike.core.errors import QueryError
from lookalike.core.records import Crop, Hit, PictureAt, Query, Term
from lookalike.engine.pages import REMEMBERED, Cursor, page, query_digest

QUERY = query_digest(Query((Term("text", "red"),)))


def hits_of(ids):
    return [Hit(rank, 0.5, None, id, id, None, None) for rank, id in enumerate(ids, 1)]


class Answers:
    """A list of answers that may change, and the generation of its collection."""

    def __init__(self, ids):
        self.ids = list(ids)
        self.generation = 7
        self.asked = []

    def change(self, ids):
        self.ids = list(ids)
        self.generation += 1

    def __call__(self, k):
        self.asked.append(k)
        return hits_of(self.ids[:k]), self.generation


def read_on(answers, size, cursor=None, between=lambda _: None):
    """All ids from `cursor` on, page by page."""
    found = []
    while True:
        got = page(answers, size, query=QUERY, cursor=cursor)
        assert [hit.rank for hit in got.hits] == list(range(len(found) + 1, len(found) + len(got.hits) + 1))
        found += [hit.id for hit in got.hits]
        if got.next is None:
            return found
        cursor = got.next
        between(answers)


@pytest.mark.parametrize("size", [1, 3, 10, 100])
def test_pages_are_the_list_cut_into_pieces(size):
    ids = [f"i{number}" for number in range(30)]
    assert read_on(Answers(ids), size) == ids


def test_the_last_page_says_so_and_an_empty_list_is_one_page():
    assert page(Answers("abc"), 3, query=QUERY).next is None
    assert page(Answers("abcd"), 3, query=QUERY).next is not None
    assert page(Answers(""), 3, query=QUERY).hits == ()


def test_what_comes_in_before_the_place_is_shown_next_and_nothing_twice():
    answers = Answers("abcdef")
    first = page(answers, 3, query=QUERY)
    answers.change("xaybcdef")
    second = page(answers, 3, query=QUERY, cursor=first.next)
    assert "".join(hit.id for hit in second.hits) == "xyd"
    assert second.changed
    third = page(answers, 3, query=QUERY, cursor=second.next)
    assert ("".join(hit.id for hit in third.hits), third.next, third.changed) == ("ef", None, False)


def test_what_leaves_makes_nobody_else_be_passed_over():
    answers = Answers("abcdef")
    first = page(answers, 3, query=QUERY)
    answers.change("cdef")
    assert read_on_ids(answers, first.next) == "def"


def read_on_ids(answers, cursor):
    got = page(answers, 100, query=QUERY, cursor=cursor)
    return "".join(hit.id for hit in got.hits)


def test_an_order_that_turns_round_still_shows_everything_once():
    answers = Answers("abcdefgh")
    first = page(answers, 4, query=QUERY)
    answers.change(reversed("abcdefgh"))
    assert read_on_ids(answers, first.next) == "hgfe"


def test_any_changes_between_any_pages_show_each_remaining_item_once():
    draw = random.Random(0)
    everything = [f"i{number}" for number in range(40)]

    def shuffle(answers):
        answers.change(draw.sample(everything, draw.randint(15, 40)))

    for _ in range(200):
        answers = Answers(draw.sample(everything, 25))
        found = read_on(answers, draw.randint(1, 12), between=shuffle)
        assert len(found) == len(set(found))
        assert set(answers.ids) <= set(found)


def test_beyond_what_a_cursor_names_positions_count():
    ids = [f"i{number}" for number in range(REMEMBERED + 700)]
    assert read_on(Answers(ids), 90) == ids
    assert len(page(Answers(ids), REMEMBERED + 50, query=QUERY).next) < 4096


def test_a_longer_list_is_asked_for_only_when_it_is_needed():
    answers = Answers(f"i{number}" for number in range(100))
    first = page(answers, 10, query=QUERY)
    answers.change(answers.ids[50:] + answers.ids[:10])
    page(answers, 10, query=QUERY, cursor=first.next)
    assert answers.asked == [11, 21]
    page(Answers([]), 10, query=QUERY, cursor=first.next)


def test_a_cursor_of_another_query_is_refused():
    cursor = page(Answers("abcd"), 2, query=QUERY).next
    with pytest.raises(QueryError, match="another query"):
        page(Answers("abcd"), 2, query=query_digest(Query((Term("text", "blue"),))), cursor=cursor)


def test_what_is_no_cursor_is_refused():
    whole = Cursor(QUERY, 1, 2, (b"123456",)).encode()
    damaged = [whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :] for at in range(len(whole) - 1)]
    for text in ["", "A", "=", "no cursor", "ä", "\udcff", "\0", whole[:-1], whole + "AAAA", "A" * 10_000, *damaged]:
        with pytest.raises(QueryError, match="cursor"):
            Cursor.decode(text, query=QUERY)
    assert Cursor.decode(whole, query=QUERY) == Cursor(QUERY, 1, 2, (b"123456",))


def test_no_page_is_empty_on_purpose():
    with pytest.raises(ValueError, match="at least one"):
        page(Answers("abc"), 0, query=QUERY)


def test_a_digest_tells_questions_apart():
    pixels = np.zeros((2, 2, 3), np.uint8)
    terms = [
        Term("text", "red"),
        Term("text", "red", 2.0),
        Term("text", "red", -1.0),
        Term("item", "red"),
        Term("picture", pixels),
        Term("picture", pixels + 1),
        Term("picture", pixels.reshape(1, 4, 3)),
        Term("picture", PictureAt(Path("a.jpg"))),
        Term("picture", PictureAt(b"a.jpg", Crop(1, 2, 3, 4))),
        Term("vector", np.ones(4, np.float32)),
        Term("text", "\udcff"),
    ]
    questions = [(Query((term,)), ()) for term in terms]
    questions += [
        (Query((terms[0], terms[0])), ()),
        (Query((terms[0],), folder=b"/a"), ()),
        (Query((terms[0],), min_relevance=0.5), ()),
    ]
    questions += [(Query((terms[0],)), ("price < 5",)), (Query((terms[0],)), ("price < 6", "taken desc"))]
    digests = [query_digest(query, *others) for query, others in questions]
    assert len(set(digests)) == len(digests)
    assert query_digest(Query((Term("text", "red"),), k=50, effort=3)) == QUERY
