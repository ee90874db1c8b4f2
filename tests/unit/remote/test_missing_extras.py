"""Without the packages of an extra every command says which extra is missing, and the rest works."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HIDING = """
import sys
hidden = sys.argv[1].split(",")
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
from lookalike.cli.main import main
sys.argv[1:] = sys.argv[2:]
sys.exit(main())
"""
"""Runs the command line where some packages cannot be imported, as if they were not installed."""
AWAY = {
    "milvus": ("pymilvus,milvus_lite,grpc", "milvus://127.0.0.1:1/shop"),
    "pgvector": ("pg8000,scramp", "postgresql://me@127.0.0.1:1/db?collection=shop"),
}
COMMANDS = {
    "search": ["search", "red shirt", "--collection"],
    "index": ["index", "{photos}", "--collection"],
    "move": ["move", "{here}"],
}


def run(hidden: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "80", "LOOKALIKE_REMOTE_TIMEOUT": "1"}
    command = [sys.executable, "-c", HIDING, hidden, *arguments]
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=120)


def assert_names_the_extra(done: subprocess.CompletedProcess[str], extra: str) -> None:
    said = " ".join(done.stderr.split())
    assert done.returncode == 1, said
    assert f"lookalike[{extra}]" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("extra", AWAY)
def test_a_collection_elsewhere_names_its_extra(extra, command, collection, pictures):
    hidden, address = AWAY[extra]
    given = [part.format(photos=pictures, here=collection.place) for part in COMMANDS[command]]
    assert_names_the_extra(run(hidden, [*given, address]), extra)


def test_encoding_on_ray_names_its_extra(pictures, colour_encoder, tmp_path):
    given = ["index", str(pictures), "--encoder", str(colour_encoder), "--collection", str(tmp_path / "new.lookalike")]
    assert_names_the_extra(run("ray", [*given, "--on", "ray"]), "ray")
    assert run("ray,pymilvus,pg8000,milvus_lite,grpc", given).returncode == 0
