"""Encoding on a Ray cluster of two nodes on this computer: the same collection as without it, whatever is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
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

PATIENCE_S = 120.0
READY = ("ray::ShardActor", "ray::ShardActor.encode")
"""Titles of the process of an actor that has loaded its encoder."""


@pytest.fixture(scope="module")
def head(user_folders):
    """The address of a cluster of two nodes, each with one core."""
    with ray_environment(alone=True):
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            cluster.add_node(num_cpus=1)
            yield cluster.address
        finally:
            cluster.shutdown()


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


def workers_running(*, ready=False):
    """Process ids of the actors that encode for this process, children of the nodes, which are its children."""
    told = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in told.splitlines()]
    nodes = {pid for pid, parent, _ in rows if int(parent) == os.getpid()}
    titles = {int(pid): title for pid, parent, title in rows if parent in nodes and "ray::ShardActor" in title}
    return [pid for pid, title in titles.items() if not ready or title.rstrip() in READY]


def wait_for_two():
    """Until both actors are there: what is encoded before would be the first one's alone."""
    deadline = time.monotonic() + PATIENCE_S
    while len(workers_running(ready=True)) < 2:
        assert time.monotonic() < deadline, "the second node's worker does not start"
        time.sleep(0.1)


def test_shards_are_made_on_both_nodes_and_the_vectors_are_those_of_a_run_without(head, pictures, encoder, tmp_path):
    (pictures / "bad.jpg").write_bytes(b"no picture")
    for event in events(tmp_path / "ray.lookalike", pictures, encoder, RayWorkers(head)):
        if isinstance(event, Progress) and event.stage == "take" and event.encoded:
            wait_for_two()
    report = event
    assert (report.added, [Path(each.uri).name for each in report.skipped]) == (24, ["bad.jpg"])
    assert len({shard.node for shard in report.shards}) == 2
    with lookalike.open(tmp_path / "plain.lookalike", encoder=encoder) as collection:
        for _ in collection.sync([pictures], index="later"):
            pass
    assert held(tmp_path / "ray.lookalike") == held(tmp_path / "plain.lookalike")


def test_workers_that_are_killed_cost_nothing(head, pictures, encoder, tmp_path):
    killed = []
    for event in events(tmp_path / "ray.lookalike", pictures, encoder, RayWorkers(head)):
        if isinstance(event, Progress) and event.stage == "take" and event.encoded and not killed:
            wait_for_two()
            killed = workers_running()
            for process in killed:
                os.kill(process, signal.SIGKILL)
    assert len(killed) == 2
    assert (event.added, event.skipped) == (24, ())
    assert len(held(tmp_path / "ray.lookalike")) == 24
    assert sum(shard.pictures for shard in event.shards) == 24


def test_a_worker_without_the_encoder_says_so(head, pictures, encoder, tmp_path):
    elsewhere = RayWorkers(head, models_dir=tmp_path / "models")
    with pytest.raises(ClusterError, match="is not on this computer"):
        list(events(tmp_path / "ray.lookalike", pictures, encoder, elsewhere))


@pytest.mark.parametrize("asked", [{"workers": 3}, {"gpus": 1.0}])
def test_a_cluster_without_room_for_what_is_asked_is_told_of(head, pictures, encoder, tmp_path, asked):
    with pytest.raises(ClusterError, match="there is no room"):
        list(events(tmp_path / "ray.lookalike", pictures, encoder, RayWorkers(head, **asked)))


def test_a_cluster_that_is_not_there_is_told_of_at_once(pictures, encoder, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
        for address in (nobody, f"ray://{nobody}"):
            with pytest.raises(ClusterError, match="cannot be reached"):
                list(events(tmp_path / "ray.lookalike", pictures, encoder, RayWorkers(address)))
