"""milvus-lite keeps what it confirmed, whoever wrote at the same time and however its process ended."""

from __future__ import annotations

import subprocess
import sys

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
