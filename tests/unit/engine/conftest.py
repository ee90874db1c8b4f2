"""Collections with and without an index."""

from __future__ import annotations

import shutil

import pytest

import lookalike
from indexed_collections import build
from lookalike.testing import ToyEncoder


@pytest.fixture(scope="module")
def kept(drawn, tmp_path_factory):
    """Two closed collections of the 24 drawn pictures: `plain`, and `indexed` by a graph."""
    folder = tmp_path_factory.mktemp("kept")
    with lookalike.open(folder / "plain", encoder=ToyEncoder()) as opened:
        list(opened.sync([drawn]))
    shutil.copytree(folder / "plain", folder / "indexed")
    with lookalike.open(folder / "indexed", encoder=ToyEncoder()) as opened:
        opened.configure_index(kind="hnsw")
        build(opened)
    return folder


@pytest.fixture
def plain(kept, tmp_path, toy):
    """24 pictures without an index."""
    with lookalike.open(shutil.copytree(kept / "plain", tmp_path / "plain"), encoder=toy) as opened:
        yield opened


@pytest.fixture
def indexed(kept, tmp_path, toy):
    """24 pictures with a graph over them."""
    with lookalike.open(shutil.copytree(kept / "indexed", tmp_path / "indexed"), encoder=toy) as opened:
        yield opened


@pytest.fixture
def growing(collection):
    """The same with pictures of its own, which a test may change."""
    collection.configure_index(kind="hnsw")
    build(collection)
    return collection
