"""`index --embeddings` as a person meets it."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exported_vectors import vectors


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Three products whose pictures lie on the web."""
    with (tmp_path / "shop.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = [[f"p{n}", f"https://example.org/{n}.jpg", f"product {n}"] for n in range(3)]
        csv.writer(stream).writerows([["id", "image", "title"], *rows])
    np.save(tmp_path / "v.npy", vectors(3))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOOKALIKE_COLLECTION", str(tmp_path / "c.lookalike"))
    return tmp_path


def test_a_shop_on_the_web_is_searched_by_vectors_made_before(call, shop):
    said = call("index", "shop.csv", "--embeddings", "v.npy")
    assert said.code == 0
    assert "3 added" in said.out
    assert "Next: lookalike search item:ID" in said.err
    hits = call("search", "item:p1", "--json").json["hits"]
    assert hits[0]["uri"] == "https://example.org/1.jpg"
    assert call("index", "--json").json["added"] == 0


def test_a_table_says_whose_each_vector_is(call, shop):
    table = {"sku": ["p2", "p0", "elsewhere"], "embedding": list(vectors(3))}
    pq.write_table(pa.table(table), shop / "v.parquet")
    said = call("index", "shop.csv", "--embeddings", "v.parquet", "--embeddings-key", "sku")
    assert said.code == 0
    assert "2 added" in said.out
    assert "id p1: there is no vector for it in v.parquet" in said.err
    assert "1 of its vectors are of no row of the catalogue, such as elsewhere" in said.err


def test_an_encoder_that_made_them_is_asked_with_words(call, shop, colour_encoder):
    from lookalike import load_encoder

    np.save(shop / "v.npy", load_encoder(str(colour_encoder)).encode_texts(["red", "green", "blue"]))
    assert call("index", "shop.csv", "--embeddings", "v.npy", "--encoder", colour_encoder).code == 0
    assert call("search", "green", "--json", "--mode", "meaning").json["hits"][0]["id"] == "p1"


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("shop.csv", "--embeddings-key", "id"), 2, "goes with --embeddings"),
        (("shop.csv", "--embeddings", "none.npy"), 1, "there is no file"),
        (("shop.csv", "--embeddings", "shop.csv"), 1, "no file of embeddings"),
        (("shop.csv", "--embeddings", "short.npy"), 1, "holds 2 vectors"),
        ((".", "--embeddings", "v.npy"), 1, "beside one catalogue"),
        (("shop.csv", "--embeddings", "v.npy", "--encoder", "nobody"), 1, "no encoder and no folder"),
    ],
)
def test_mistakes_say_what_to_do_and_nothing_is_taken(call, shop, arguments, code, why):
    np.save(shop / "short.npy", vectors(2))
    said = call("index", *arguments)
    assert said.code == code
    assert why in said.err
    assert len(said.err.strip().splitlines()) >= 2
