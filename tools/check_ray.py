"""Does encoding on Ray lose or double anything when workers and the driver are killed?

    python tools/check_ray.py --photos DIR [--count 20000] [--work DIR]

Indexes 3,000 photos or more, with some files among them that are none: without shards; on a Ray of two nodes of a core,
which both have to make shards; and on a Ray of this computer with two workers, where one worker is killed with -9, and
then the driver, and the command is given again. Every photo has to be in the collection once and in the shards once,
with the vector of the run without shards; every bad file has to be listed; and no process may be left. Linux only.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "bench"))
from measuring import LOOKALIKE, clean_environment, link_photos

BAD = 20
WORKER = "ray::ShardActor"
LEFT_AFTER_S = 30.0


def make(photos: Path, count: int, folder: Path) -> Path:
    """The photos and `BAD` files that are none: text, nothing, and photos that end too soon."""
    link_photos(photos, count, folder)
    whole = min(folder.iterdir()).read_bytes()
    for number in range(BAD):
        content = (b"this is no picture", b"", whole[: 100 + number])[number % 3]
        (folder / f"bad-{number:02}.jpg").write_bytes(content)
    return folder


def workers(driver: int) -> list[int]:
    """Process ids of Ray's workers that encode for a driver: children of its children."""
    told = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in told.splitlines()]
    nodes = {pid for pid, parent, _ in rows if int(parent) == driver}
    return [int(pid) for pid, parent, command in rows if parent in nodes and WORKER in command]


def are_there(processes: list[int]) -> bool:
    return any(Path(f"/proc/{process}").exists() for process in processes)


def wait_for(shards: Path, number: int, driver: subprocess.Popen[bytes]) -> None:
    """Until so many shards are finished."""
    while len(list(shards.glob("metadata/*.parquet"))) < number:
        assert driver.poll() is None, "the driver ended too soon"
        time.sleep(0.2)


def killed_and_resumed(folder: Path, place: Path, env: dict[str, str]) -> dict[str, object]:
    """The report of the run that ended, after one worker and then the driver were killed."""
    shards = place / "shards"
    command = [LOOKALIKE, "index", str(folder), "--on", "ray", "--workers", "2", "--shards", str(shards), "--json"]
    command += ["--collection", str(place / "ray.lookalike"), "--no-index-build"]
    driver = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
    wait_for(shards, 2, driver)
    victim = workers(driver.pid)[0]
    os.kill(victim, signal.SIGKILL)
    print(f"worker {victim} killed after 2 shards")
    wait_for(shards, 6, driver)
    left = workers(driver.pid)
    driver.kill()
    driver.communicate()
    finished = len(list(shards.glob("metadata/*.parquet")))
    started = time.monotonic()
    while are_there(left) and time.monotonic() - started < LEFT_AFTER_S:
        time.sleep(0.2)
    print(f"driver killed after {finished} shards; its workers were gone after {time.monotonic() - started:.1f} s")
    assert not are_there(left), "workers outlive their driver"
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    report: dict[str, object] = json.loads(done.stdout)
    print(
        f"resumed: {report['encoded']:,} encoded, {report['reused']:,} from shards, {len(report['shards'])} shards made"
    )
    return report


def vectors(collection: Path) -> dict[bytes, np.ndarray]:
    """Every picture's vector, by the name of its file; each place may be there once."""
    from lookalike.store.collection_store import Store

    with Store.open(collection, create=False) as store, store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
        pairs = [(item.key, row) for row, some in items.items() for item in some]
        assert len(pairs) == len({key for key, _ in pairs}), "a picture is there twice"
        return {key: np.array(snapshot.rows[row]).astype(np.float32) for key, row in pairs}


def on_two_nodes(folder: Path, place: Path) -> dict[bytes, np.ndarray]:
    """The vectors of a run on a cluster of two nodes with a core each, which has to use both."""
    import lookalike
    from lookalike.cluster.ray_environment import ray_environment
    from lookalike.cluster.ray_workers import RayWorkers
    from lookalike.engine.sharding import Sharding

    with ray_environment(alone=True):
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            cluster.add_node(num_cpus=1)
            sharding = Sharding(RayWorkers(cluster.address), str(place / "nodes"))
            with lookalike.open(place / "nodes.lookalike") as collection:
                *_, report = collection.sync([folder], sharding=sharding, index="later")
        finally:
            cluster.shutdown()
    made = Counter(shard.node[:8] for shard in report.shards)
    print(f"two nodes: {', '.join(f'{number} shards on {node}' for node, number in made.items())}")
    assert len(made) == 2, "a node made no shard"
    return vectors(place / "nodes.lookalike")


def in_shards(shards: Path) -> Counter[bytes]:
    """How often each file has a row in the shards."""
    import pyarrow.parquet as pq

    keys: Counter[bytes] = Counter()
    for table in shards.glob("metadata/*.parquet"):
        rows = pq.read_table(table, columns=["key"])["key"].to_pylist()
        vectors_file = shards / "img_emb" / table.name.replace("metadata", "img_emb").replace(".parquet", ".npy")
        assert len(np.load(vectors_file)) == len(rows), table
        keys.update(rows)
    return keys


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(dir=options.work))
    try:
        env = clean_environment(place / "home")
        folder = make(options.photos, options.count, place / "photos")
        plain = [LOOKALIKE, "index", str(folder), "--collection", str(place / "plain.lookalike"), "--no-index-build"]
        subprocess.run(plain, env=env, check=True, capture_output=True)
        os.environ.update(env)
        spread = on_two_nodes(folder, place)
        killed_and_resumed(folder, place, env)
        listed = [LOOKALIKE, "failures", "--collection", str(place / "ray.lookalike"), "--json"]
        failed = json.loads(subprocess.run(listed, env=env, check=True, stdout=subprocess.PIPE).stdout)
        bad = failed["failures"] if isinstance(failed, dict) else failed
        ours, theirs = vectors(place / "ray.lookalike"), vectors(place / "plain.lookalike")
        keys = in_shards(place / "shards")
        apart = max(float(np.abs(ours[key] - theirs[key]).max()) for key in theirs)
        print(
            f"{len(ours):,} pictures in the collection, {len(theirs):,} without shards; largest difference {apart:.1e}"
        )
        print(
            f"{len(keys):,} pictures in the shards, at most {max(keys.values())} time(s); {len(bad)} bad files listed"
        )
        assert ours.keys() == theirs.keys() == keys.keys() == spread.keys()
        assert all(np.array_equal(spread[key], theirs[key]) for key in theirs), "vectors of the two nodes differ"
        assert max(keys.values()) == 1
        assert len(bad) == BAD
        print("nothing lost, nothing doubled")
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
