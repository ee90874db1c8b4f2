"""Encoders of one's own on the command line: moved to, listed, and what is said when one is gone."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from lookalike.encoders.derived import Projection, write_derived
from lookalike.encoders.load import default_models_dir, load_encoder


@pytest.fixture
def mine(colour_encoder, tmp_path):
    """A folder with an encoder derived from the one that `indexed` was made with: red and green change places.

    Each test has another one: an equal one elsewhere would be found in place of one that is gone.
    """
    swap, about = Projection(np.eye(3)[[1, 0, 2]]), {"made in": str(tmp_path)}
    base = load_encoder(str(colour_encoder))
    write_derived(tmp_path / "mine", base=base, image=swap, text=swap, about=about, widths=[2])
    return tmp_path / "mine"


def test_migrate_says_that_no_picture_was_read(call, indexed, mine):
    moved = call("migrate", "--encoder", mine)
    assert moved.code == 0
    assert "now uses mine: 24 vectors computed from the former ones, no picture read" in moved.out
    assert call("search", "red", "--json").json["hits"][0]["uri"].split("-")[-2] == "red"


def test_migrate_counts_what_was_derived_and_what_was_encoded(call, indexed, mine):
    report = call("migrate", "--encoder", f"{mine}@2", "--json").json
    assert (report["derived"], report["encoded"], report["switched"]) == (24, 0, True)
    assert report["index"]["kind"] == "exact"
    assert report["kept"] == ["colours"]
    shutil.rmtree(mine)
    foreign = call("migrate", "--encoder", "builtin", "--json").json
    assert (foreign["derived"], foreign["encoded"], foreign["kept"]) == (0, 24, [])


def test_another_encoder_is_refused_with_the_folder_as_it_was_given(call, indexed, mine):
    refused = call("index", "--encoder", mine)
    assert refused.code == 1
    assert f"lookalike migrate --encoder {mine}" in refused.err


def test_encoders_lists_the_folders_that_were_used(call, mine):
    base = load_encoder(str(mine)).base.id
    own = {each["folder"]: each for each in call("encoders", "--json").json["own"]}
    assert own[str(mine)] == {"name": "mine", "folder": str(mine), "kind": "derived", "dim": 3, "made_of": [base]}
    assert f"{mine}\n  derived, 3 dimensions, of {base}" in call("encoders").out


def test_with_its_encoder_gone_every_command_says_where_it_was_and_the_ways_on(call, indexed, mine):
    call("migrate", "--encoder", mine)
    moved = mine.with_name("moved")
    mine.rename(moved)
    assert call("search", "red").code == 0  # by the copy that was kept
    shutil.rmtree(default_models_dir() / "kept")
    for arguments in (("search", "red"), ("verify",), ("doctor",)):
        refused = call(*arguments)
        said = " ".join((refused.out + refused.err).split())
        assert refused.code == 1
        assert "is not on this computer; it was last in" in said
    assert "lookalike index --encoder FOLDER" in call("search", "red").err
    assert call("index", "--encoder", moved).code == 0
    assert call("search", "red").code == 0


def test_a_derived_encoder_without_its_base_says_which_one_it_lacks(call, indexed, drawn, tmp_path, colour_encoder):
    base = shutil.copytree(colour_encoder, tmp_path / "base")
    (base / "config.json").write_text((base / "config.json").read_text(encoding="utf-8") + " ", encoding="utf-8")
    head = Projection(np.eye(3))
    write_derived(tmp_path / "head", base=load_encoder(str(base)), image=head, text=head, about={})
    call("migrate", "--encoder", tmp_path / "head")
    shutil.rmtree(base)
    refused = call("search", "red")
    assert refused.code == 1
    assert "head lacks what it is made of: the encoder base-" in refused.err
    assert str(base) in refused.err


def test_a_folder_without_an_encoder_is_named(call, indexed, tmp_path):
    refused = call("migrate", "--encoder", tmp_path)
    assert refused.code == 1
    assert "has no config.json" in refused.err


def test_what_is_kept_is_said_and_the_way_back_costs_nothing(call, indexed, mine, colour_encoder):
    moved = call("migrate", "--encoder", mine)
    assert "--drop-former frees their space" in moved.err
    assert "24 vectors of colours" in call("status").out
    back = call("migrate", "--encoder", colour_encoder)
    assert "now uses colours: its vectors were there" in back.out
    dropped = call("migrate", "--encoder", mine, "--drop-former", "--json").json
    assert (dropped["derived"], dropped["kept"]) == (24, [])
    assert call("status", "--json").json["kept"] == []
