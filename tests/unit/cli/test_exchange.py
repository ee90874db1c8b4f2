"""`export` and `import-vectors` as a person and a program meet them."""

from __future__ import annotations

import os

import pytest

from exported_vectors import clip_retrieval, vectors


@pytest.mark.parametrize("layout", ["faiss", "npy", "parquet"])
def test_an_export_is_taken_back_and_words_find_the_same_pictures(call, indexed, tmp_path, layout):
    wrote = call("export", "--format", layout, tmp_path / "out", "--json")
    assert (wrote.code, wrote.json["vectors"], wrote.json["format"]) == (0, 24, layout)
    assert all((tmp_path / "out" / name).exists() for name in wrote.json["files"])
    here = ("--collection", tmp_path / "back.lookalike")
    took = call("import-vectors", tmp_path / "out", *here, "--json")
    assert (took.code, took.json["added"], took.json["skipped"]) == (0, 24, [])
    want, got = (call("search", "red", "--json", *where).json["hits"] for where in ((), here))
    assert {hit["uri"] for hit in got[:3]} == {hit["uri"] for hit in want[:3]}
    assert [hit["score"] for hit in got] == pytest.approx([hit["score"] for hit in want], abs=1e-3)
    assert call("index", *here, "--json").json["encoded"] == 0


def test_both_say_what_they_did_and_what_follows(call, indexed, drawn, tmp_path):
    said = call("export", "--format", "faiss", tmp_path / "out")
    assert said.out.startswith("Wrote 24 vectors of")
    assert str(tmp_path / "out") in said.out
    here = ("--collection", tmp_path / "back.lookalike")
    said = call("import-vectors", tmp_path / "out", *here)
    assert "took 24 vectors" in said.out
    assert f"Later runs of lookalike index look through {drawn}" in said.err
    assert "24 were known" in call("import-vectors", tmp_path / "out", *here).out


def test_skipped_vectors_are_named_with_the_reason(call, tmp_path):
    rows = vectors(3)
    rows[1] = 0
    clip_retrieval(tmp_path / "clip", [(rows, {"url": ["http://a/0", "http://a/1", "http://a/2"]})])
    here = ("--collection", tmp_path / "c.lookalike")
    said = call("import-vectors", tmp_path / "clip", *here)
    assert said.code == 0
    assert "took 2 vectors by imported, 1 skipped" in said.out
    assert "http://a/1: its vector has no direction: all its numbers are zero (img_emb_0.npy, row 1)" in said.err
    words = call("search", "a dog", *here)
    assert words.code == 1
    assert "which encoder made them is not known" in words.err


def test_relative_paths_begin_where_images_says(call, tmp_path, drawn, colour_encoder):
    from lookalike import load_encoder

    names = sorted(path.name for path in drawn.iterdir())
    clip_retrieval(tmp_path / "clip", [(vectors(24, dim=load_encoder(str(colour_encoder)).dim), {"image_path": names})])
    here = ("--collection", tmp_path / "c.lookalike")
    took = call("import-vectors", tmp_path / "clip", "--images", drawn, "--encoder", colour_encoder, *here, "--json")
    assert took.json["folders"] == [str(drawn)]
    assert call("search", "red", "-k", "1", "--json", *here).json["hits"][0]["uri"].startswith(str(drawn) + os.sep)


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        (["export", "out"], (2, "--format")),
        (["export", "--format", "csv", "out"], (2, "csv")),
        (["export", "--format", "faiss", "--dtype", "float16", "out"], (2, "holds float32")),
        (["export", "--format", "faiss", "."], (1, "is not an empty folder")),
        (["import-vectors"], (2, "DIR")),
        (["import-vectors", "nowhere"], (1, "there is no folder")),
    ],
)
def test_what_cannot_be_done_is_said_with_its_exit_code(call, indexed, monkeypatch, arguments, ending):
    monkeypatch.chdir(indexed.parent)
    answer = call(*arguments)
    assert answer.code == ending[0]
    assert ending[1] in answer.err


def test_without_pyarrow_the_line_that_installs_it_is_shown(call, indexed, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = call("export", "--format", "npy", tmp_path / "out")
    assert said.code == 1
    assert 'pip install "lookalike[parquet]"' in said.err
    assert not list(tmp_path.glob("out*"))
    assert call("export", "--format", "faiss", tmp_path / "out").code == 0
