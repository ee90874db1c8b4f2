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
from milvus_lite.storage.wal import WAL
from lookalike.remote.contract import RemoteFacts, RemoteItem
from lookalike.remote.milvus import connect

engine = connect(sys.argv[1], timeout_s={LONG_S})
engine.create(RemoteFacts("toy-1", "toy", 4))
vectors = np.eye(4, dtype=np.float16)
engine.upsert([
    RemoteItem(id, f"/{{id}}", b"/", id.encode(), 1, 1, None, None, 1, 1, "", stems=("red",), vector=vector)
    for id, vector in zip("abcd", vectors)
])
WAL.close_and_delete = lambda _: os._exit(0)
engine.build_index()
"""


def test_items_that_it_has_twice_after_a_sudden_end_amid_a_flush_come_once(tmp_path):
    """Its files and its log have them then, with one number."""
    with milvus(MILVUS[0], tmp_path) as before_name:
        subprocess.run([sys.executable, "-c", ENDS_AMID_A_FLUSH, f"{before_name}shop"], check=True)
        engine = connect(f"{before_name}shop", timeout_s=LONG_S)
        assert [item.id for item in engine.items()] == list("abcd")
        assert [found.item.id for found in engine.with_stems(["red"], 9)] == list("abcd")
        question = np.array([[0.8, 0.6, 0, 0]], np.float32)
        assert [found.item.id for found in engine.nearest(question, 9)[0]] == list("abcd")
        engine.build_index()
        assert [item.id for item in engine.items()] == list("abcd")
