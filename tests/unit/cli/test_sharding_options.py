"""What `index --on` and its companions mean."""

from __future__ import annotations

import json
import os

import click
import pytest

from lookalike.cli.main import main
from lookalike.cli.sharding_options import read_sharding
from lookalike.cluster.ray_workers import LOCAL, RayWorkers
from lookalike.engine.shard_encoding import Here


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def read(**said):
    nothing = {"on": None, "workers": None, "gpus": 0.0, "shards": None, "device": "auto", "collection": "c.lookalike"}
    return read_sharding(**{**nothing, **said})


def test_nothing_said_is_no_shards():
    assert read() is None


def test_shards_without_a_place_are_made_here():
    sharding = read(shards="shards")
    assert (sharding.workers, sharding.folder, sharding.keep) == (Here(), os.path.abspath("shards"), True)


def test_shards_without_a_folder_lie_in_the_collection_and_go():
    sharding = read(on="ray")
    assert (sharding.workers, sharding.keep) == (RayWorkers(LOCAL), False)
    assert sharding.folder == os.path.abspath("c.lookalike/shards")


@pytest.mark.parametrize(
    ("said", "address"),
    [({"on": "ray"}, LOCAL), ({"on": "ray://head:10001", "shards": "s3://shop/shards"}, "ray://head:10001")],
)
def test_a_cluster_is_named(said, address):
    assert read(**said, workers=3, gpus=0.5).workers == RayWorkers(address, 3, 0.5)


def test_a_job_on_a_cluster_uses_it(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    sharding = read(on="ray", shards="s3://shop/shards")
    assert (sharding.workers, sharding.folder) == (RayWorkers("10.0.0.1:6379"), "s3://shop/shards")
    with pytest.raises(click.UsageError, match="--shards"):
        read(on="ray")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"workers": 2}, "go with --on ray"),
        ({"on": "here", "gpus": 1.0}, "go with --on ray"),
        ({"on": "spark"}, "pictures are encoded on"),
        ({"on": "ray://head:10001"}, "--shards"),
        ({"on": "here", "collection": "milvus://host:19530/shop"}, "--shards"),
    ],
)
def test_what_does_not_go_together_is_refused(said, why):
    with pytest.raises(click.UsageError, match=why):
        read(**said)


def test_index_says_where_its_shards_were_made(pictures, colour_encoder, tmp_path, capsys):
    where = ["--collection", str(tmp_path / "c.lookalike"), "--encoder", str(colour_encoder)]
    assert main(["index", str(pictures), "--on", "here", *where]) == 0
    assert "Encoded in 1 shard: 1 here." in capsys.readouterr().out
    assert not (tmp_path / "c.lookalike" / "shards").exists()


def test_index_lists_its_shards_as_json(pictures, colour_encoder, tmp_path, capsys):
    where = ["--collection", str(tmp_path / "c.lookalike"), "--encoder", str(colour_encoder)]
    assert main(["index", str(pictures), "--shards", str(tmp_path / "shards"), "--json", *where]) == 0
    (shard,) = json.loads(capsys.readouterr().out)["shards"]
    assert (shard["pictures"], shard["skipped"], shard["node"], shard["tries"]) == (24, 0, "here", 1)


def test_vectors_that_are_given_are_not_encoded_by_shards(pictures, tmp_path, capsys):
    (tmp_path / "c.csv").write_text("id,file\n1,a.png\n")
    given = ["--embeddings", str(tmp_path / "v.npy"), "--collection", str(tmp_path / "c.lookalike")]
    assert main(["index", str(tmp_path / "c.csv"), "--on", "here", *given]) == 2
    assert "leave --on and --shards out" in capsys.readouterr().err
