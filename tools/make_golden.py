"""Make the golden collection of the present format: `python tools/make_golden.py` writes it below tests/golden/.

Run once for each released format and never again over an old one: a golden collection is what users have on their
disks. Every table has rows: pictures that stayed, moved, were copied, removed and could not be taken, a setting, what
was found and decided about duplicates, a move that was not made, and a compaction, so that the epoch is 1. The root is
a made-up place; the pictures themselves lie beside the collection.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import lookalike
from lookalike.engine.likeness import METHOD
from lookalike.engine.likeness_words import stored
from lookalike.store.collection_store import Store
from lookalike.store.likenesses import PairRecord
from lookalike.store.moves import MeantMove
from lookalike.testing import ToyEncoder, draw_pictures

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"
ROOT = b"/golden/pictures"


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        pictures, collection = Path(scratch, "pictures"), Path(scratch, "golden.lookalike")
        version = fill(pictures, collection)
        target = GOLDEN / f"format-{version}"
        if target.exists():
            print(f"{target} is there already; a golden collection is never changed", file=sys.stderr)
            return 1
        target.mkdir(parents=True)
        shutil.copytree(pictures, target / "pictures")
        shutil.copytree(collection, target / "collection", ignore=shutil.ignore_patterns("write.*"))
    print(target, sum(file.stat().st_size for file in target.rglob("*") if file.is_file()), "bytes")
    return 0


def fill(pictures: Path, collection: Path) -> int:
    """Index, change what is there, index again, compact. Returns the number of the format."""
    paths = draw_pictures(pictures, 12, seed=8)
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    with lookalike.open(collection, encoder=ToyEncoder()) as golden:
        list(golden.sync([pictures], exclude=["*.tmp"]))
        paths[0].unlink()
        paths[1].unlink()
        (pictures / "moved").mkdir()
        paths[2].rename(pictures / "moved" / "renamed.png")
        shutil.copy(paths[3], pictures / "copy.jpg")
        list(golden.sync())
        golden.compact()
        shutil.copy(paths[4], pictures / "later.jpg")
        draw_pictures(pictures / "late", 2, seed=88)
        list(golden.sync())
    with Store.open(collection) as store:
        decide(store)
    return settle(collection)


def decide(store: Store) -> None:
    """Two pictures look alike to somebody and are apart to somebody else; one is kept, and a file stayed."""
    with store.snapshot() as snapshot:
        pictures = snapshot.pictures()[0].tolist()
        first, second, third = (items[0] for items in list(snapshot.items_of_pictures(pictures).values())[:3])
        (digests,) = snapshot.digests_of([first.id]).values()
    why = stored((("cropped", 62, 62),))
    store.likenesses.put([PairRecord(first.picture, second.picture, "edited", 0.9, why, METHOD)], pictures, METHOD)
    store.likenesses.put_apart([(first.id, second.id)])
    store.likenesses.put_kept([third.id])
    source, target = ROOT + b"/" + first.key, b"/golden/duplicates/" + first.key
    meant = MeantMove(first.id, ROOT, first.key, source, target, first.size, first.modified_ns, digests[0])
    with store.writer() as writer:
        run = writer.moves.begin_run(b"/golden/duplicates", {"keep": "best"})
        (move,) = writer.moves.mean(run, [meant])
        writer.moves.settle([], [(move, "it changed meanwhile")])
        writer.moves.end_run(run)


def settle(collection: Path) -> int:
    """One file without a log, with the made-up root; the number of its format."""
    connection = sqlite3.connect(collection / "collection.sqlite")
    try:
        connection.execute("UPDATE roots SET path = ?", (ROOT,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()
        for name in ("collection.sqlite-wal", "collection.sqlite-shm"):
            if (collection / name).exists():
                os.unlink(collection / name)


if __name__ == "__main__":
    sys.exit(main())
