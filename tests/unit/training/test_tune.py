"""From a catalogue to an encoder folder and a report, as a user gets them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from turned_material import turned

from lookalike.cli.main import main
from lookalike.core.errors import SourceError
from lookalike.encoders.load import load_encoder
from lookalike.testing import ToyEncoder, draw_pictures
from lookalike.training import heads_recipe
from lookalike.training.heads import HeadSettings
from lookalike.training.tune import Task, tune_encoder

QUICK = HeadSettings(lr=5e-3, epochs=4, batch=32)
WORDS = {"red": "rouge", "green": "vert", "blue": "bleu", "black": "noir", "white": "blanc", "yellow": "jaune"}
"""The toy does not know the words on the right."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """96 drawn products, titled in words that the toy does not know."""
    folder = tmp_path_factory.mktemp("shop")
    with (folder / "shop.csv").open("w", newline="", encoding="utf-8") as stream:
        write = csv.writer(stream)
        write.writerow(["id", "image", "title", "category"])
        for number, path in enumerate(draw_pictures(folder / "pics", 96)):
            _, colour, shape = path.stem.split("-")
            write.writerow([number, f"pics/{path.name}", f"{WORDS.get(colour, colour)} {shape}", colour])
    return folder / "shop.csv"


def task(shop, tmp_path, **more) -> Task:
    return Task(shop, tmp_path / "mine", tmp_path / "work", settings=QUICK, **more)


def test_an_outcome_is_written_with_its_report_and_its_curves(shop, tmp_path):
    toy, heard = ToyEncoder(), []
    outcome = tune_encoder(task(shop, tmp_path, force=True), [toy], told=heard.append)
    out = tmp_path / "mine"
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert figures == json.loads(json.dumps(outcome.as_dict()))
    assert figures["base"] == toy.id
    assert figures["material"]["pictures"] == 96
    assert figures["curve"][0]["epoch"] == 0
    assert figures["compared"][0]["what"] == "words -> picture"
    assert {"before", "after", "interval", "ceiling"} <= figures["compared"][0]["figures"]["precision@5"].keys()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Before and after" in page
    assert "The texts also stand with pictures that were learned from" in page  # 24 titles for 96 products
    assert "(after)" in page
    assert "data:image/jpeg" in page
    assert sorted(path.name for path in out.glob("*.png")) == [
        "cosine-of-right-pairs.png",
        "loss.png",
        "map-at-10-of-the-validation-part.png",
    ]
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert (config["kind"], config["base"], config["about"]["recipe"]) == ("derived", toy.id, "heads")
    assert heard[0].startswith("rate 0.005: map@10")


def test_an_encoder_that_is_no_better_is_not_written_and_it_is_said(shop, tmp_path):
    still = Task(shop, tmp_path / "mine", tmp_path / "work", settings=HeadSettings(lr=1e-12, epochs=1))
    outcome = tune_encoder(still, [ToyEncoder()])
    assert not outcome.written
    assert not (tmp_path / "mine" / "config.json").exists()
    assert outcome.as_dict()["encoder"] is None
    assert "not written" in (tmp_path / "mine" / "report.html").read_text(encoding="utf-8")


def test_what_was_learned_is_what_the_figures_are_of(tmp_path):
    """The projections that are written make the very values that the comparison reports."""
    material = turned(dim=64, angle=1.5)
    tuned = heads_recipe.tune((material,), HeadSettings(lr=1e-2, epochs=8, batch=64), lambda _: None)
    assert tuned.better
    tuned.write(tmp_path / "mine", (ToyEncoder(),))
    with np.load(tmp_path / "mine" / "visual" / "projection.npz") as image:
        seen = material.whole() @ image["matrix"] + image["bias"]
    with np.load(tmp_path / "mine" / "textual" / "projection.npz") as text:
        said = material.texts @ text["matrix"] + text["bias"]
    cosines = (seen * said).sum(1) / np.linalg.norm(seen, axis=1) / np.linalg.norm(said, axis=1)
    asked = material.pictures(2)
    assert tuned.compared[0].after.values["cosine_right"] == pytest.approx(cosines[asked], abs=1e-4)


def test_without_texts_it_is_said_what_is_missing(tmp_path):
    draw_pictures(tmp_path / "set" / "a", 12)
    with pytest.raises(SourceError, match="no texts") as told:
        tune_encoder(task(tmp_path / "set", tmp_path), [ToyEncoder()])
    assert "--text-columns" in told.value.hint


# --- the command ---------------------------------------------------------------------------------


def test_the_command_tunes_the_builtin_and_the_folder_is_an_encoder(shop, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    out = tmp_path / "mine"
    call = ["tune-encoder", str(shop), "--out", str(out), "--set", "lr=1e-3", "--set", "epochs=2", "--force", "--json"]
    assert main(call) == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures["encoder"] == str(out)
    assert figures["about"]["settings"]["epochs"] == 2
    tuned = load_encoder(str(out), models_dir=tmp_path / "data" / "lookalike" / "models")
    assert tuned.encode_texts(["rouge circle"]).shape == (1, tuned.dim)
    assert (tmp_path / "mine.work").is_dir()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--recipe", "tails"], "there is no recipe 'tails'"),
        (["--set", "epoch=3"], "no setting 'epoch'"),
        (["--set", "epochs=0"], "at least 1"),
        (["--set", "epochs"], "say NAME=VALUE"),
    ],
)
def test_wrong_words_are_told_before_anything_is_encoded(shop, tmp_path, capfd, more, told):
    assert main(["tune-encoder", str(shop), "--out", str(tmp_path / "mine"), *more]) == 2
    assert told in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


def test_logging_to_wandb_without_it_is_told_before_anything_is_encoded(shop, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)  # as where it is not installed
    assert main(["tune-encoder", str(shop), "--out", str(tmp_path / "mine"), "--wandb"]) == 1
    assert 'pip install "lookalike[wandb]"' in capfd.readouterr().err
    assert not (tmp_path / "mine.work").exists()
