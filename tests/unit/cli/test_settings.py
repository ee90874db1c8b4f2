"""Where the collection lies: as told, as the environment says, else in the user's data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.cli.settings import collection_path, colour_wanted, default_collection, remote_address
from lookalike.core.errors import RemoteRefused


def test_what_is_given_outweighs_the_environment(tmp_path):
    environment = {"LOOKALIKE_COLLECTION": str(tmp_path / "b")}
    assert collection_path(str(tmp_path / "a"), environment) == tmp_path / "a"
    assert collection_path(None, environment) == tmp_path / "b"


def test_an_address_that_is_no_engines_is_no_folder_either():
    assert remote_address("milvus://host/shop", {}) == "milvus://host/shop"
    assert remote_address("photos", {}) is None
    with pytest.raises(RemoteRefused, match=r"no collection can lie at http://me@host/x$"):
        remote_address(None, {"LOOKALIKE_COLLECTION": "http://me:secret@host/x"})


def test_without_a_word_it_lies_in_the_users_data_folder(user_folders):
    assert collection_path(None, {}) == default_collection()
    assert user_folders in default_collection().parents


def test_a_name_may_leave_out_the_suffix_of_what_exists(tmp_path):
    (tmp_path / "holiday.lookalike").mkdir()
    assert collection_path(str(tmp_path / "holiday"), {}) == tmp_path / "holiday.lookalike"
    assert collection_path(str(tmp_path / "other"), {}) == tmp_path / "other"


def test_home_is_understood():
    assert collection_path("~/p.lookalike", {}) == Path.home() / "p.lookalike"


def test_colour_can_be_refused():
    assert colour_wanted({"TERM": "xterm"})
    assert not colour_wanted({"NO_COLOR": "1"})
    assert not colour_wanted({"TERM": "dumb"})
