"""Folders that files can be moved to, and those that cannot be."""

from __future__ import annotations

import os

import pytest

from lookalike.core.errors import QueryError
from lookalike.engine.move_plan import refuse_target
from lookalike.store.collection_store import Store


@pytest.fixture
def store(collection):
    with Store.open(collection.path) as opened:
        yield opened


def test_a_file_and_the_collection_itself_are_refused(store, pictures):
    for place in (min(pictures.iterdir()), store.path / "away"):
        with pytest.raises(QueryError):
            refuse_target(store, os.fsencode(place))


def test_a_folder_that_is_still_to_be_made_is_tried_and_not_left(store, tmp_path):
    refuse_target(store, os.fsencode(tmp_path / "far" / "away"))
    assert not (tmp_path / "far").exists()


def test_a_folder_that_a_try_left_behind_refuses_no_later_one(store, tmp_path):
    left = tmp_path / "away" / f".lookalike-{os.getpid()}"  # by a process of this number, which was killed
    left.mkdir(parents=True)
    refuse_target(store, os.fsencode(tmp_path / "away"))
    assert left.is_dir()
