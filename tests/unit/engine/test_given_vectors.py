"""A catalogue taken in with vectors that were made before: nothing is encoded, no picture is read."""

from __future__ import annotations

import csv
import pickle

import numpy as np
import pytest

import lookalike
from exported_vectors import units, vectors
from lookalike.core.errors import EncoderMismatch, EncoderUnavailable, SourceError
from lookalike.engine.given_vectors import Embeddings
from lookalike.testing import ToyEncoder

HEADER = ("id", "file", "title", "price")


@pytest.fixture
def shop(tmp_path):
    """Five products whose pictures are files that no decoder would take."""
    (tmp_path / "img").mkdir()
    for number in range(5):
        (tmp_path / "img" / f"{number}.jpg").write_bytes(b"not a picture %d" % number)
    write(tmp_path, [(f"00{n}", f"img/{n}.jpg", f"product {n}", f"{n}.50") for n in range(5)])
    return tmp_path


@pytest.fixture
def opened(shop):
    with lookalike.open(shop / "c.lookalike") as collection:
        yield collection


def write(shop, rows, header=HEADER):
    with (shop / "c.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


def rows_of(shop):
    with (shop / "c.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))[1:]


def kept(shop, value, name="v.pkl"):
    path = shop / name
    if path.suffix == ".npy":
        np.save(path, value)
    else:
        path.write_bytes(pickle.dumps(value))
    return path


def take(collection, shop, file, *, paths=None, **said):
    settings = {name: said.pop(name) for name in ("names_in", "encoder") if name in said}
    *_, report = collection.sync(
        paths or [shop / "c.csv"], embeddings=Embeddings(file, **settings), index="later", **said
    )
    return report


def nearest(collection, vector):
    return [hit.id for hit in collection.search(vector, k=10)]


def found_by_themselves(collection, ids, rows):
    return all(nearest(collection, row)[0] == id for id, row in zip(ids, units(rows), strict=True))


IDS = [f"00{number}" for number in range(5)]


def test_by_order_each_row_gets_its_vector_and_what_the_table_says(opened, shop):
    rows = vectors(5)
    report = take(opened, shop, kept(shop, rows, "v.npy"))
    assert (report.added, report.encoded, report.skipped) == (5, 0, ())
    assert found_by_themselves(opened, IDS, rows)
    first = opened.search(rows[0].astype(np.float32), k=5, where="price < 2").hits
    assert [hit.id for hit in first] == ["000", "001"] or {hit.id for hit in first} == {"000", "001"}
    assert first[0].metadata["title"].startswith("product")


@pytest.mark.parametrize("call", [lambda n: f"00{n}", lambda n: f"img/{n}.jpg", lambda n: f"{n}.jpg", str])
def test_by_name_of_an_id_a_path_a_file_name_or_its_stem_in_any_order(opened, shop, call):
    rows = vectors(5)
    report = take(opened, shop, kept(shop, {call(n): rows[n] for n in (3, 1, 4, 0, 2)}))
    assert (report.added, report.skipped) == (5, ())
    assert found_by_themselves(opened, IDS, rows)


def test_counts_that_differ_are_an_error_that_names_both_and_nothing_is_taken(opened, shop):
    with pytest.raises(SourceError, match=r"v\.npy holds 4 vectors, .*c\.csv has 5 rows") as caught:
        take(opened, shop, kept(shop, vectors(4), "v.npy"))
    assert "--embeddings-key" in caught.value.hint
    assert opened.status()["items"] == 0
    assert opened.status()["roots"] == []


def test_several_pictures_of_a_row_need_as_many_vectors_or_only_the_first_has_one(opened, shop):
    write(shop, [("a", "img/0.jpg|img/1.jpg", "", ""), ("b", "img/2.jpg", "", "")])
    with pytest.raises(SourceError, match=r"4 vectors, .* has 2 rows, which name 3 pictures"):
        take(opened, shop, kept(shop, vectors(4), "v.npy"))
    rows = vectors(3)
    take(opened, shop, kept(shop, rows, "v.npy"))
    assert found_by_themselves(opened, ["a", "a/2", "b"], rows)
    with lookalike.open(shop / "other.lookalike") as other:
        report = take(other, shop, kept(shop, rows[:2], "w.npy"))
        assert found_by_themselves(other, ["a", "b"], rows[:2])
        assert [each.reason for each in report.skipped] == ["id a/2: there is no vector for it in w.npy"]


def test_what_has_no_vector_and_vectors_without_a_row_are_told_and_taken_when_they_fit(opened, shop):
    rows = dict(zip([*IDS[:4], "elsewhere"], vectors(5), strict=True))
    report = take(opened, shop, kept(shop, rows))
    assert report.added == 4
    assert [each.reason for each in report.skipped] == [
        "id 004: there is no vector for it in v.pkl",
        "1 of its vectors are of no row of the catalogue, such as elsewhere",
    ]
    whole = kept(shop, dict(zip(IDS, vectors(5), strict=True)), "w.pkl")
    with pytest.raises(EncoderMismatch) as caught:
        take(opened, shop, whole)
    same = caught.value.hint.rpartition("--encoder ")[2]
    assert take(opened, shop, whole, encoder=same).added == 1
    assert opened.failures() == []


def test_names_that_fit_nothing_are_an_error_with_an_example_of_both(opened, shop):
    with pytest.raises(SourceError, match=r"none of the 1 names .* such as x, .* such as 000"):
        take(opened, shop, kept(shop, {"x": vectors(1)[0]}))


def test_a_name_that_two_pictures_have_is_an_error_and_nothing_is_taken(opened, shop):
    write(shop, [("x", "a/0.png", "", ""), ("y", "b/0.png", "", ""), ("z", "b/1.png", "", "")])
    for each in ("a/0.png", "b/0.png", "b/1.png"):
        (shop / each).parent.mkdir(exist_ok=True)
        (shop / each).write_bytes(b"a picture")
    rows = vectors(3)
    with pytest.raises(SourceError, match=r"by file name, and 0\.png is both .*0\.png and .*0\.png") as caught:
        take(opened, shop, kept(shop, {"0.png": rows[0], "1.png": rows[1]}))
    assert "by id or by path" in caught.value.hint
    assert opened.status()["items"] == 0
    by_path = {"a/0.png": rows[0], "b/0.png": rows[1], "b/1.png": rows[2]}
    assert take(opened, shop, kept(shop, by_path, "w.pkl")).added == 3
    assert found_by_themselves(opened, ["x", "y", "z"], rows)


def test_a_name_that_two_vectors_have_is_an_error_unless_they_are_equal(opened, shop):
    rows = vectors(6)
    with pytest.raises(SourceError, match=r"different vectors called 000: those of rows 0 and 5"):
        take(opened, shop, kept(shop, {"vectors": rows, "ids": [*IDS, "000"]}))
    equal = np.concatenate([rows[:5], rows[:1]])
    report = take(opened, shop, kept(shop, {"vectors": equal, "ids": [*IDS, "000"]}, "w.pkl"))
    assert (report.added, report.skipped) == (5, ())


def test_a_vector_without_direction_costs_its_own_row(opened, shop):
    rows = vectors(5)
    rows[1], rows[3, 0] = 0, np.nan
    report = take(opened, shop, kept(shop, rows, "v.npy"))
    assert report.added == 3
    assert "id 001: its vector (row 1 of v.npy) is all zeros, or not finite" in [each.reason for each in report.skipped]


def test_a_later_run_finds_all_as_it_was_and_follows_the_table(opened, shop):
    take(opened, shop, kept(shop, vectors(5), "v.npy"))
    *_, again = opened.sync(index="later")
    assert (again.added, again.changed, again.removed, again.encoded) == (0, 0, 0, 0)
    write(shop, [(*row[:3], "9.99") for row in rows_of(shop)[1:]])
    *_, later = opened.sync(index="later")
    assert (later.changed, later.removed, later.encoded) == (4, 1, 0)


def test_pictures_on_the_web_are_taken_without_being_fetched_also_later(opened, shop):
    write(shop, [(f"00{n}", f"https://example.org/{n}.jpg", "", "") for n in range(5)])
    rows = vectors(5)
    assert take(opened, shop, kept(shop, rows, "v.npy")).added == 5
    assert opened.search(units(rows)[2].astype(np.float32)).hits[0].uri == "https://example.org/2.jpg"
    *_, again = opened.sync(index="later")
    assert (again.added, again.removed, again.skipped) == (0, 0, ())


def test_two_products_of_one_picture_keep_their_own_vectors(opened, shop):
    write(shop, [("a", "img/0.jpg", "", ""), ("b", "img/0.jpg", "", "")])
    rows = vectors(2)
    take(opened, shop, kept(shop, rows, "v.npy"))
    assert found_by_themselves(opened, ["a", "b"], rows)


def test_the_encoder_that_made_them_can_be_said_and_then_be_asked(shop):
    toy = ToyEncoder()
    with lookalike.open(shop / "toy.lookalike", encoder=toy) as collection:
        names = ["red circle", "blue square", "green triangle", "yellow circle", "purple square"]
        take(collection, shop, kept(shop, toy.encode_texts(names), "v.npy"), encoder=toy)
        assert collection.search("blue square", mode="meaning").hits[0].id == "001"
        with pytest.raises(EncoderMismatch, match="8 components"):
            take(collection, shop, kept(shop, vectors(5), "w.npy"), encoder=toy)


def test_without_an_encoder_words_are_refused_with_a_way_out(opened, shop):
    take(opened, shop, kept(shop, vectors(5), "v.npy"))
    with pytest.raises(EncoderUnavailable, match="words cannot be"):
        opened.search("red", mode="meaning")


def test_vectors_of_another_make_are_refused_before_anything_is_taken(opened, shop):
    take(opened, shop, kept(shop, vectors(5), "v.npy"))
    write(shop, [*rows_of(shop), ("new", "img/0.jpg", "", "")])
    with pytest.raises(EncoderMismatch):
        take(opened, shop, kept(shop, vectors(6, seed=1), "w.npy"))
    assert opened.status()["items"] == 5


def test_embeddings_go_with_one_catalogue(opened, shop):
    file = kept(shop, vectors(5), "v.npy")
    for paths in ([shop / "img"], [shop / "c.csv", shop / "img"]):
        with pytest.raises(SourceError, match="beside one catalogue"):
            take(opened, shop, file, paths=paths)


def test_taken_anew_on_request_products_get_other_vectors(opened, shop):
    take(opened, shop, kept(shop, vectors(5), "v.npy"))
    with pytest.raises(EncoderMismatch) as caught:
        take(opened, shop, kept(shop, vectors(5, seed=1), "w.npy"))
    same = caught.value.hint.rpartition("--encoder ")[2]
    assert take(opened, shop, shop / "w.npy", encoder=same).changed == 0
    assert take(opened, shop, shop / "w.npy", encoder=same, check_content=True).changed == 5
    assert found_by_themselves(opened, IDS, vectors(5, seed=1))
