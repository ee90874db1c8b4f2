"""milvus-lite keeps what it confirmed, whoever wrote at the same time and however its process ended."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lookalike.remote.milvus import connect
from milvus_servers import MILVUS, milvus

LONG_S = 300.0
WRITERS, ENTRIES = 4, 15

WRITES = f"""
import os, sys
from concurrent.futures import ThreadPoolExecutor
from lookalike.remote.contract import RemoteFacts
from lookalike.remote.milvus import connect

engines = [connect(sys.argv[1], timeout_s={LONG_S}) for _ in range({WRITERS})]
engines[0].create(RemoteFacts("toy-1", "toy", 4))
pairs = [(writer, at) for writer in range({WRITERS}) for at in range({ENTRIES})]
engines[0].set_entries("roots", {{f"{{writer}} gone {{at}}": 1 for writer, at in pairs}})

def write(writer):
    for at in range({ENTRIES}):
        engines[writer].set_entries("roots", {{f"{{writer}} gone {{at}}": None}})
        engines[writer].set_entries("roots", {{f"{{writer}} {{at}}": at}})

with ThreadPoolExecutor({WRITERS}) as pool:
    list(pool.map(write, range({WRITERS})))
os._exit(0)
"""


@pytest.mark.parametrize("which", MILVUS)
def test_what_many_wrote_at_once_is_there_after_a_sudden_end(which, tmp_path):
    with milvus(which, tmp_path) as before_name:
        subprocess.run([sys.executable, "-c", WRITES, f"{before_name}shop"], check=True)
    with milvus(which, tmp_path) as before_name:
        wanted = {f"{writer} {at}": at for writer in range(WRITERS) for at in range(ENTRIES)}
        assert connect(f"{before_name}shop", timeout_s=LONG_S).entries("roots") == wanted


ENDS_AMID_A_FLUSH = f"""
import os, sys
import numpy as np
from milvus_lite.storage import wal
from lookalike.remote.contract import RemoteFacts, RemoteItem
from lookalike.remote.milvus import connect

engine = connect(sys.argv[1], timeout_s={LONG_S})
engine.create(RemoteFacts("toy-1", "toy", 4))
vectors = np.eye(4, dtype=np.float16)
engine.upsert([
    RemoteItem(id, f"/{{id}}", b"/", id.encode(), 1, 1, None, None, 1, 1, "", stems=("red",), vector=vector)
    for id, vector in zip("abcd", vectors)
])
engine.delete(["gone"])
engine.upsert(engine.get(["d"], vectors=True))
remove = os.remove

def end(*_):
    os._exit(0)

def remove_and_end(path):
    remove(path)
    end()

if sys.argv[2] == "before its log goes":
    wal.WAL.close_and_delete = end
else:
    os.remove = remove_and_end
engine.build_index()
"""


@pytest.mark.parametrize("when", ["before its log goes", "when half of its log is gone"])
def test_after_a_sudden_end_amid_a_flush_it_goes_on_and_gives_each_item_once(when, tmp_path):
    """In its files and in its log it has them twice then, with one number."""
    with milvus(MILVUS[0], tmp_path) as before_name:
        subprocess.run([sys.executable, "-c", ENDS_AMID_A_FLUSH, f"{before_name}shop", when], check=True)
        engine = connect(f"{before_name}shop", timeout_s=LONG_S)
        assert [item.id for item in engine.items()] == list("abcd")
        assert [found.item.id for found in engine.with_stems(["red"], 9)] == list("abcd")
        question = np.array([[0.8, 0.6, 0, 0]], np.float32)
        assert [found.item.id for found in engine.nearest(question, 9)[0]] == list("abcd")
        engine.build_index()
        assert [item.id for item in engine.items()] == list("abcd")
