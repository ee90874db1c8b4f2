"""From a catalogue to an encoder folder and a report, as a user gets them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from turned_material import turned

from lookalike.cli.main import main
from lookalike.core.errors import EncoderError, SourceError
from lookalike.encoders.derived import Projection, write_derived
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
    assert heard[0] == "only 8 pictures are held out for the test: figures of so few say little"
    assert heard[1].startswith("rate 0.005: map@10")


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


def test_too_few_products_are_told_from_missing_texts():
    few = turned(30)
    few = replace(few, split=np.where(np.arange(30) < 28, 0, 1).astype(np.uint8))
    with pytest.raises(SourceError, match="of 30 different pictures none with a text is left to test on"):
        heads_recipe.tune((few,), QUICK, lambda _: None)


def test_an_encoder_of_an_earlier_run_is_told_from_one_that_was_not_written(shop, tmp_path):
    tune_encoder(task(shop, tmp_path, force=True), [ToyEncoder()])
    still = Task(shop, tmp_path / "mine", tmp_path / "work", settings=HeadSettings(lr=1e-12, epochs=1))
    outcome = tune_encoder(still, [ToyEncoder()])
    assert (outcome.as_dict()["encoder"], outcome.as_dict()["earlier_encoder"]) == (None, True)
    assert "of an earlier run" in (tmp_path / "mine" / "report.html").read_text(encoding="utf-8")


class Untouched(ToyEncoder):
    """Fails where it is asked: what is refused is refused before any work."""

    def encode_images(self, pictures):
        raise AssertionError("it was asked")


def test_a_file_and_a_folder_with_models_of_its_own_are_refused_before_the_work(shop, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "models" / "visual").mkdir(parents=True)
    (tmp_path / "models" / "visual" / "model.onnx").touch()
    for name, said in (("file", "is a file"), ("file/in", "is a file"), ("models", "models of its own")):
        with pytest.raises(EncoderError, match=said):
            tune_encoder(Task(shop, tmp_path / name, tmp_path / "work"), [Untouched()])
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_an_encoder_never_takes_the_place_of_what_it_is_made_of(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    eye = Projection(np.eye(load_encoder().dim))
    write_derived(tmp_path / "one", base=load_encoder(), image=eye, text=None, about={})
    one = load_encoder(str(tmp_path / "one"))
    write_derived(tmp_path / "two", base=one, image=eye, text=None, about={"number": 2})
    two = load_encoder(str(tmp_path / "two"))
    for out, asked in (("one", one), ("two", two), ("one", two), ("one/inside", one)):
        with pytest.raises(EncoderError, match="would be made of"):
            tune_encoder(Task(shop, tmp_path / out, tmp_path / "work"), [asked])
    assert not (tmp_path / "work").exists()


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
        (["--with", "./other"], "heads tunes one encoder"),
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
