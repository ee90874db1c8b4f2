"""What a question's words find: by rarity, by whole names, in spite of typing errors, by meaning."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lookalike.store.collection_store import Store
from lookalike.store.word_meanings import LEAST_WORDS
from lookalike.store.word_search import errors_between
from stored_files import DIM, ENCODER, found

TITLES = [
    "Navy check shirt",
    "Navy shirt",
    "Red shirt",
    "Red dress",
    "Синяя рубашка",
    "Жіноча сорочка",
    "Shirt",
    "Sofa",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store.open(tmp_path_factory.mktemp("words") / "collection") as store:
        fill(store, TITLES)
        yield store


def fill(store: Store, titles: list[str]) -> None:
    with store.writer() as writer:
        root = writer.add_root(b"/p", is_file=False)
        writer.put(
            writer.create_space(*ENCODER),
            [
                found(root, b"%d.png" % row, str(row), metadata={"title": title, "sku": f"AB-{row}/9"}, id=f"P{row}")
                for row, title in enumerate(titles)
            ],
        )
        writer.finish([(root.number, b"")])


@pytest.fixture
def snapshot(store):
    with store.snapshot() as snapshot:
        yield snapshot


def rows(snapshot, text: str, **how) -> list[int]:
    return snapshot.words(text, 10, **how).rows.tolist()


def test_the_more_and_the_rarer_words_the_better(snapshot):
    assert rows(snapshot, "navy check shirts") == [0, 1, 2, 6]
    matches = snapshot.words("navy check shirts", 10)
    assert matches.scores[0] == pytest.approx(1)
    assert (np.diff(matches.scores) <= 0).all()


def test_a_whole_title_comes_before_titles_that_hold_it(snapshot):
    matches = snapshot.words("shirt", 10)
    assert (matches.rows[0], matches.exact.tolist()) == (6, [True, False, False, False])


@pytest.mark.parametrize("name", ["P3", "p3", "AB-3/9", "ab 3 9", "3.png", "red DRESS"])
def test_ids_file_names_product_numbers_and_titles_are_exact(snapshot, name):
    matches = snapshot.words(name, 10)
    assert (matches.rows[0], matches.exact.tolist().count(True)) == (3, 1)


@pytest.mark.parametrize(("typed", "row"), [("shrit", 0), ("chekc", 0), ("dreess", 3), ("рубашак", 4), ("soffa", 7)])
def test_a_typing_error_is_forgiven_and_counts_for_less(snapshot, typed, row):
    matches = snapshot.words(typed, 10)
    assert matches.rows[0] == row
    assert matches.scores[0] == pytest.approx(0.7)


def test_numbers_and_short_words_are_not_guessed(snapshot):
    assert rows(snapshot, "AB-33/9 17") == [row for row in rows(snapshot, "AB-33/9 17") if row >= 0]
    assert rows(snapshot, "rde") == []


def test_forms_of_russian_and_ukrainian_words_find_each_other(snapshot):
    assert rows(snapshot, "синие рубашки") == [4]
    assert rows(snapshot, "жіночі сорочки") == [5]


def test_only_allowed_rows_are_found_by_words_and_by_name(snapshot):
    allowed = np.zeros(snapshot.count, bool)
    allowed[2] = True
    assert rows(snapshot, "shirt", allowed=allowed) == [2]
    assert rows(snapshot, "P3", allowed=allowed) == []


def test_the_limit_keeps_the_best_and_equals_by_row(snapshot):
    assert snapshot.words("navy check shirt", 2).rows.tolist() == [0, 1]
    assert snapshot.words("red", 1).rows.tolist() == [2]


def test_of_two_places_of_a_picture_the_one_that_answers_is_named(tmp_path):
    with Store.open(tmp_path / "c") as store:
        with store.writer() as writer:
            root = writer.add_root(b"/p", is_file=False)
            space = writer.create_space(*ENCODER)
            metadata = [{"title": "Lamp"}, {"title": "Brass lamp"}]
            writer.put(
                space, [found(root, b"%d" % n, "same", metadata=its, id=f"N{n}") for n, its in enumerate(metadata)]
            )
            writer.finish([(root.number, b"")])
        with store.snapshot() as snapshot:
            scores = snapshot.word_scores("brass")
            assert scores.best(5).rows.tolist() == [0]
            assert snapshot.best_items(scores, [0]) == {0: "N1"}
            assert snapshot.best_items(snapshot.word_scores("lamp"), [0]) == {0: "N0"}
            assert snapshot.best_items(snapshot.word_scores("sofa"), [0]) == {}


def test_words_that_nobody_wrote_are_found_by_what_they_mean(tmp_path):
    words = [f"thing{letter}{other}" for letter in "abcdef" for other in "abcdef"]
    assert len(words) >= LEAST_WORDS
    vectors = dict(zip(words, np.random.default_rng(5).standard_normal((len(words), DIM)), strict=True))
    vectors = {word: vector * (np.arange(DIM) > 0) for word, vector in vectors.items()}
    vectors = {word: vector / np.linalg.norm(vector) for word, vector in vectors.items()}
    vectors["thingcd"] = np.eye(DIM)[0]
    with Store.open(tmp_path / "c") as store:
        fill(store, [word for word in words for _ in range(3)])
        with store.writer() as writer:
            space = writer.create_space(*ENCODER)
            learned = writer.words_to_learn(space)
            assert set(learned.values()) == set(words)
            writer.put_word_vectors(space, list(learned), [vectors[word] for word in learned.values()])
            assert writer.words_to_learn(space) == {}
        with store.snapshot() as snapshot:
            meant = snapshot.word_scores("вещь", lambda asked: np.array([vectors["thingcd"] for _ in asked]))
            position = 3 * words.index("thingcd")
            assert meant.best(3).rows.tolist() == [position, position + 1, position + 2]
            assert meant.best(1).scores[0] == pytest.approx(0.8)
            assert len(snapshot.word_scores("вещь").best(3).rows) == 0


def test_a_search_sees_the_words_of_its_own_moment(tmp_path):
    with Store.open(tmp_path / "c") as store:
        fill(store, ["Heron"])
        with store.snapshot() as before:
            fill(store, ["Stork"])
            assert (rows(before, "heron"), rows(before, "stork")) == ([0], [])
            with store.snapshot() as after:
                assert (rows(after, "heron"), rows(after, "stork")) == ([], [0])
            assert rows(before, "heron") == [0]


def test_with_mapped_columns_the_answers_are_the_same(tmp_path):
    with Store.open(tmp_path / "c") as store:
        fill(store, TITLES)
        with store.snapshot() as snapshot:
            before = [rows(snapshot, text) for text in ("navy shirt", "P3", "red")]
        with store.writer() as writer:
            assert writer.make_columns(least=1)
        with store.snapshot() as snapshot:
            assert snapshot.columns() is not None
            assert [rows(snapshot, text) for text in ("navy shirt", "P3", "red")] == before


def test_where_nothing_may_be_written_words_are_found_and_before_this_format_there_are_none(tmp_path):
    with Store.open(tmp_path / "c") as store:
        fill(store, ["Heron"])
    with Store.open(tmp_path / "c", read_only=True) as store, store.snapshot() as snapshot:
        assert rows(snapshot, "heron") == [0]
    golden = Path(__file__).parents[2] / "golden" / "format-1" / "collection"
    earlier = shutil.copytree(golden, tmp_path / "earlier")
    with Store.open(earlier, create=False, read_only=True) as store, store.snapshot() as snapshot:
        assert rows(snapshot, "red circle") == []
    with Store.open(earlier, create=False) as store:
        with store.writer() as writer:
            writer.finish([])
        with store.snapshot() as snapshot:
            assert rows(snapshot, "red circle")


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=60))
def test_no_text_is_too_odd_to_be_asked(snapshot, text):
    matches = snapshot.words(text, 5)
    assert len(matches.rows) == len(matches.scores) == len(matches.exact) <= 5
    assert ((matches.scores >= 0) & (matches.scores <= 1 + 1e-6)).all()


@pytest.mark.parametrize(
    "text", ['" OR rowid > 0', "title:shirt", "NOT shirt", "shirt*", "'; DROP TABLE words; --", "NEAR(a b)", "a AND (b"]
)
def test_a_query_is_words_never_a_language(snapshot, text):
    snapshot.words(text, 5)
    assert rows(snapshot, "sofa") == [7]


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [("shirt", "shirt", 0), ("shrit", "shirt", 1), ("shir", "shirt", 1), ("hat", "cat", 1), ("", "ab", 2)],
)
def test_errors_are_counted_as_people_make_them(one, other, errors):
    assert errors_between(one, other) == errors_between(other, one) == errors
