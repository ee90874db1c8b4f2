"""LIBRARY:NAME is understood, fetched where it is not here, and exported by the command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lookalike.cli.main import main
from lookalike.core.errors import EncoderUnavailable, UnknownEncoder
from lookalike.encoders.load import load_encoder
from lookalike.training.exporters.choosing import open_model

DOCUMENT = Path(__file__).parents[4] / "docs" / "cli.md"


@pytest.mark.parametrize("spec", ["convnext_tiny", "keras:resnet50", "timm:", ""])
def test_what_names_no_model_is_told_how_to_name_one(spec):
    with pytest.raises(UnknownEncoder) as raised:
        open_model(spec)
    assert "timm, torchvision, open_clip, ruclip, sentence-transformers" in raised.value.hint


def test_options_that_the_weights_decide_are_refused(ruclip_folder):
    with pytest.raises(ValueError, match="in its weights"):
        open_model(f"ruclip:{ruclip_folder}", side=224)
    with pytest.raises(ValueError, match="in its folder"):
        open_model(f"ruclip:{ruclip_folder}", weights="random")


def test_a_file_of_weights_that_is_not_there_is_told():
    with pytest.raises(EncoderUnavailable, match=r"no file of weights nowhere\.pt"):
        open_model("timm:convnext_atto", weights="nowhere.pt")


def test_a_folder_is_opened_where_it_lies(ruclip_folder):
    towers = open_model(f"ruclip:{ruclip_folder}")
    assert towers.about == {"made_from": "ruclip:ruclip-tiny", "languages": ["ru"]}
    assert towers.pictures.module.side == 64


def test_what_cannot_be_fetched_is_told_with_the_way_on():
    with pytest.raises(EncoderUnavailable, match="ai-forever/ruclip-vit-base-patch32-224 is no folder here") as raised:
        open_model("ruclip:ruclip-vit-base-patch32-224", endpoint="http://127.0.0.1:9")
    assert "another computer" in raised.value.hint


def test_the_command_writes_an_encoder_and_says_how_near_it_is(ruclip_folder, tmp_path, capfd):
    out = tmp_path / "encoder"
    assert main(["export-encoder", f"ruclip:{ruclip_folder}", "--out", str(out), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["encoder"] == str(out)
    assert told["dim"] == 32
    assert min(told["cosine"].values()) >= 0.9999
    assert load_encoder(str(out)).modalities == {"image", "text"}
    section = DOCUMENT.read_text(encoding="utf-8").partition("## lookalike export-encoder")[2].partition("\n## ")[0]
    assert {*told, *told["cosine"]} == set(re.findall(r'"(\w+)"', section.partition("`--json`: `")[2]))


def test_the_command_says_what_it_did_and_what_is_next(ruclip_folder, tmp_path, capfd):
    assert main(["export-encoder", f"ruclip:{ruclip_folder}", "--out", str(tmp_path / "encoder")]) == 0
    told = capfd.readouterr()
    assert "32 components" in told.out
    assert re.search(r"texts: cosine (0\.9999\d+|1\.0+) at least", told.err)
    assert f"--encoder {tmp_path / 'encoder'}" in told.err


def test_the_command_refuses_options_that_do_not_go_together(ruclip_folder, tmp_path, capfd):
    assert main(["export-encoder", f"ruclip:{ruclip_folder}", "--out", str(tmp_path / "encoder"), "--side", "224"]) == 2
    assert "in its weights" in capfd.readouterr().err
    assert not (tmp_path / "encoder").exists()
