"""Small collections asked through their index, as tests of indexes share it."""

from __future__ import annotations

from pathlib import Path

from lookalike import IndexReport, Query, Term

EFFORT = 1000
"""So much effort visits everything these small indexes hold: their answers are the exact ones."""


def through_index(text: str, k: int = 5) -> Query:
    """So few pictures would be compared one by one; an effort of its own makes a query use the index."""
    return Query((Term("text", text),), k=k, mode="meaning", effort=EFFORT)


def names(results) -> list[str]:
    return [Path(hit.uri).name for hit in results]


def build(collection, **arguments) -> IndexReport:
    *_, report = collection.build_index(**arguments)
    return report


def index_file(collection) -> Path:
    (file,) = collection.path.glob("spaces/*/index-*.faiss")
    return file
