"""Encoding on a Ray of this computer: the same collection as without it, also when a worker is killed.

Two nodes, and a driver that is killed, are tried by `make check-ray`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

import lookalike
from lookalike.cluster.ray_environment import ray_environment
from lookalike.cluster.ray_workers import RayWorkers
from lookalike.core.errors import ClusterError
from lookalike.encoders.load import load_encoder
from lookalike.engine import sharding as module
from lookalike.engine.reports import Progress
from lookalike.engine.sharding import Sharding
from lookalike.store.collection_store import Store

STARTS = 4
"""How often Ray's start is tried: it gives up after 30 s, which cannot be set and is short on a busy machine."""


@pytest.fixture(scope="module")
def head(user_folders):
    """The address of a Ray with two cores, which every test here connects to."""
    with ray_environment(alone=True):
        cluster = started(STARTS)
        yield cluster.address
        cluster.shutdown()


def started(tries):
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        cluster.add_node(num_cpus=2, include_dashboard=False)
    except Exception:  # Ray's are of many kinds
        cluster.shutdown()
        if tries == 1:
            raise
        return started(tries - 1)
    return cluster


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(module, "SHARD_AT_LEAST", 2)


@pytest.fixture
def encoder(colour_encoder):
    return load_encoder(str(colour_encoder))


def events(where, pictures, encoder, workers):
    sharding = Sharding(workers, str(Path(where).parent / "shards"))
    with lookalike.open(where, encoder=encoder) as collection:
        yield from collection.sync([pictures], sharding=sharding, index="later")


def held(where):
    """The pictures of a collection and their vectors, by place."""
    with Store.open(where, create=False) as store, store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
        return {item.uri: snapshot.rows[row].tobytes() for row, some in items.items() for item in some}


def workers_running():
    """Process ids of the actors that encode for this process, children of the node, which is its child."""
    told = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in told.splitlines()]
    nodes = {pid for pid, parent, _ in rows if int(parent) == os.getpid()}
    return [int(pid) for pid, parent, title in rows if parent in nodes and "ray::ShardActor" in title]


def test_the_vectors_are_those_of_a_run_without_and_killed_workers_and_bad_files_cost_nothing(
    head, pictures, encoder, tmp_path
):
    (pictures / "bad.jpg").write_bytes(b"no picture")
    killed = []
    for event in events(tmp_path / "ray.lookalike", pictures, encoder, RayWorkers(head)):
        if isinstance(event, Progress) and event.stage == "take" and event.encoded and not killed:
            killed = workers_running()
            for process in killed:
                os.kill(process, signal.SIGKILL)
    assert killed
    assert (event.added, [Path(each.uri).name for each in event.skipped]) == (24, ["bad.jpg"])
    assert sum(shard.pictures for shard in event.shards) == 24
    with lookalike.open(tmp_path / "plain.lookalike", encoder=encoder) as collection:
        for _ in collection.sync([pictures], index="later"):
            pass
    assert held(tmp_path / "ray.lookalike") == held(tmp_path / "plain.lookalike")


def test_a_worker_without_the_encoder_says_so(head, pictures, encoder, tmp_path):
    elsewhere = RayWorkers(head, workers=1, models_dir=tmp_path / "models")
    with pytest.raises(ClusterError, match="is not on this computer"):
        list(events(tmp_path / "ray.lookalike", pictures, encoder, elsewhere))


def test_a_cluster_without_room_for_what_is_asked_is_told_of(head, pictures, encoder, tmp_path):
    for asked in (RayWorkers(head, workers=3), RayWorkers(head, gpus=1.0), RayWorkers(head, workers=1, gpus=1.0)):
        with pytest.raises(ClusterError, match="there is no room"):
            list(events(tmp_path / "ray.lookalike", pictures, encoder, asked))


def test_a_cluster_that_is_not_there_is_told_of_at_once(pictures, encoder, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
        for address in (nobody, f"ray://{nobody}"):
            with pytest.raises(ClusterError, match="cannot be reached"):
                list(events(tmp_path / "ray.lookalike", pictures, encoder, RayWorkers(address)))
