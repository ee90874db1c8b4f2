"""`tune` and `bench` as a person and as a program see them."""

from __future__ import annotations

import pytest
from PIL import Image

BENCH_KEYS = {"name", "ann_recall@10", "p50_ms", "p95_ms", "qps", "build_s", "bytes", "rss_bytes", "chosen"}


def is_png(path):
    with Image.open(path) as image:
        return image.format == "PNG"


def test_tune_prints_a_table_and_what_was_chosen(call, indexed, tmp_path):
    said = call("tune", "--kinds", "sq8,hnsw", "--target-recall", "0.9", "--plot", tmp_path / "curve.png")
    assert said.code == 0
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["index", "exact", "sq8", "hnsw"]
    assert max(map(len, lines[:4])) <= 80
    assert lines[5].startswith("Chosen: ")
    assert "candidate 1 of 3: exact" in said.err
    assert is_png(tmp_path / "curve.png")
    assert call("status", "--json").json["index"]["kind"] in {"sq8", "hnsw"}


def test_tune_leaves_few_pictures_without_an_index(call, indexed):
    said = call("tune", indexed, "--json", "--kinds", "exact", "--memory", "2GB", "--minutes", "1")
    assert said.json["chosen"]["name"] == "exact"
    assert said.json["memory_bytes"] == 2_000_000_000
    assert said.json["questions"]["pictures"] == 24
    assert said.json["questions"]["words"] > 100


@pytest.mark.parametrize(("size", "wanted"), [("500 MB", 500_000_000), ("1.5GiB", 1_610_612_736), ("123", 123)])
def test_memory_is_written_as_people_write_it(size, wanted):
    from lookalike.cli.tune import tune

    assert tune.make_context("tune", ["--memory", size]).params["memory"] == wanted


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tune", "--memory", "much"], "no amount of memory"),
        (["tune", "--memory", "0GB"], "no amount of memory"),
        (["tune", "--kinds", "btree"], "no index kind"),
        (["tune", "--target-recall", "1.5"], "--target-recall"),
        (["tune", "one", "--collection", "other"], "once"),
        (["bench", "--kinds", ""], "no index kind"),
    ],
)
def test_wrong_usage_is_told(call, indexed, arguments, said):
    called = call(*arguments)
    assert (called.code, called.out) == (2, "")
    assert said in called.err


@pytest.mark.parametrize("command", ["tune", "bench"])
def test_a_missing_collection_is_told(call, tmp_path, command):
    called = call(command, "--collection", tmp_path / "none")
    assert called.code == 1
    assert str(tmp_path / "none") in called.err


def test_bench_as_json_has_the_promised_keys(call, indexed, tmp_path):
    said = call("bench", "--json", "--kinds", "flat,ivf-rabitq", "--plot", tmp_path / "bench.png")
    candidates = said.json["candidates"]
    assert [each["name"] for each in candidates] == ["exact", "flat", "ivf-rabitq"]
    assert all(set(each) >= BENCH_KEYS for each in candidates)
    assert [each["chosen"] for each in candidates] == [True, False, False]
    assert is_png(tmp_path / "bench.png")


def test_bench_prints_a_table_that_fits(call, indexed):
    said = call("bench", "--kinds", "hnsw-sq8")
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines] == ["index", "exact*", "hnsw-sq8"]
    assert max(map(len, lines)) <= 80
    assert "serves searches now" in said.err
