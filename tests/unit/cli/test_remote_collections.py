"""Commands on a collection elsewhere: milvus-lite in this process."""

from __future__ import annotations

import pytest

from lookalike.cli.settings import engine_access, remote_address


@pytest.fixture(scope="module")
def address_once(tmp_path_factory):
    return f"milvus://{(tmp_path_factory.mktemp('milvus') / 'shop.db').as_posix()}#shop"


@pytest.fixture
def address(address_once, drawn, call):
    """A collection of the 24 drawn pictures."""
    assert call("index", drawn, "--collection", address_once).code == 0
    return address_once


def test_the_commands_are_those_of_any_collection(address, drawn, call):
    found = call("search", "red", "-k", 3, "--where", "width > 10", "--collection", address, "--json").json
    assert len(found["hits"]) == 3
    uri = found["hits"][0]["uri"]
    assert call("show", uri, "--collection", address, "--json").json["id"] == found["hits"][0]["id"]
    state = call("status", "--collection", address, "--json").json
    assert (state["items"], state["failures"], state["collection"]) == (24, 0, address)
    assert "Milvus" in call("status", "--collection", address).out
    assert call("failures", "--collection", address, "--json").json == {"failures": []}
    names = {each["name"] for each in call("fields", "--collection", address, "--json").json["fields"]}
    assert {"width", "colours", "path"} <= names
    assert call("verify", "--sample", 3, "--collection", address, "--json").json["ok"]
    assert call("remove", uri, "--collection", address, "--json").json == {"removed": 1}
    assert call("index", uri, "--collection", address, "--json").json["added"] == 1


def test_a_collection_moves_there_and_back(indexed, address_once, call, tmp_path):
    there = address_once.replace("#shop", "#moved")
    shown = call("move", indexed, there, "--dry-run", "--json").json
    assert (shown["items"], shown["there"], shown["left"]) == (24, 0, 0)
    sent = call("move", indexed, there, "--json").json
    assert (sent["ok"], sent["items"], sent["sent"]) == (True, 24, 24)
    back = tmp_path / "back.lookalike"
    assert call("move", there, back, "--dry-run", "--json").json["items"] == 24
    assert not back.exists()
    returned = call("move", there, back)
    assert returned.code == 0
    assert "24 items compared and equal" in returned.out
    before, after = (call("search", "red", "--collection", each, "--paths").out for each in (indexed, back))
    assert before == after


def test_a_move_is_between_here_and_elsewhere(indexed, tmp_path, call):
    answer = call("move", indexed, tmp_path / "other.lookalike")
    assert answer.code == 2
    assert "one of FROM and TO" in answer.err


@pytest.mark.parametrize("command", [["export", "--format", "npy", "out"], ["tune"], ["compact"], ["prune"]])
def test_what_needs_a_collection_here_says_how_to_bring_it(command, address_once, call):
    answer = call(*command, "--collection", address_once)
    assert answer.code == 1
    assert "lookalike move" in answer.err


def test_a_collection_that_is_not_there_is_said(address_once, call):
    answer = call("search", "red", "--collection", address_once.replace("#shop", "#nobody"))
    assert answer.code == 1
    assert "there is no collection" in answer.err


def test_an_address_with_a_password_is_refused_and_the_password_not_shown(call):
    answer = call("status", "--collection", "milvus://me:tops3cret@localhost/shop")
    assert answer.code == 1
    assert "tops3cret" not in answer.err + answer.out
    assert "LOOKALIKE_MILVUS_TOKEN" in answer.err
    answer = call("tune", "--collection", "milvus://me:tops3cret@localhost/shop")
    assert answer.code == 1
    assert "tops3cret" not in answer.err + answer.out


def test_passwords_come_from_variables_or_from_files(tmp_path):
    file = tmp_path / "token"
    file.write_text("root:tops3cret\n", encoding="utf-8")
    access = engine_access({"LOOKALIKE_MILVUS_TOKEN_FILE": str(file), "LOOKALIKE_POSTGRES_PASSWORD": "also"})
    assert (access.milvus_token, access.postgres_password) == ("root:tops3cret", "also")
    assert "tops3cret" not in repr(access)
    assert engine_access({"LOOKALIKE_REMOTE_TIMEOUT": "3"}).timeout_s == 3


def test_addresses_and_folders_are_told_apart():
    assert remote_address("milvus://host/shop") == "milvus://host/shop"
    assert remote_address("photos.lookalike") is None
    assert remote_address(None, {"LOOKALIKE_COLLECTION": "postgresql://me@host/db"}) == "postgresql://me@host/db"
