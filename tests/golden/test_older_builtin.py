"""A collection made with an older built-in encoder answers for ever, or says how to move on.

`tools/make_golden_builtin.py` made them. `builtin-0` has small random weights of our own exporter and layout, which lie
beside it: what the first use of an older lookalike would have kept. The true weights of `builtin-1` are 18 MB and stand
only in the history: `tools/check_older_builtins.py` takes them from there and compares all answers; here they are away.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import lookalike
from lookalike.core.errors import EncoderUnavailable
from lookalike.encoders.load import load_encoder

HERE = Path(__file__).parent
PHOTOS = sorted((HERE / "photos").glob("*.jpg"))
TOLERANCE = 0.002  # of a score: processors round differently


class Upgraded:
    """A computer with a collection of an older version, the present lookalike, and a models folder of its own."""

    def __init__(self, golden: Path, place: Path) -> None:
        self.record = json.loads((golden / "answers.json").read_text(encoding="utf-8"))
        self.collection = shutil.copytree(golden / "collection", place / "old.lookalike")
        self.models = place / "models"
        self.said: list[str] = []
        if (golden / "weights").is_dir():
            digest = self.record["encoder"].removeprefix("builtin-")
            shutil.copytree(golden / "weights", self.models / "builtin" / digest)

    def open(self, **settings) -> lookalike.Collection:
        return lookalike.open(
            self.collection, create=False, models_dir=self.models, notice=self.said.append, **settings
        )


@pytest.fixture
def kept(tmp_path):
    return Upgraded(HERE / "builtin-0", tmp_path)


@pytest.fixture(params=["builtin-0", "builtin-1"])
def lost(request, tmp_path, monkeypatch):
    """The same where the older weights are nowhere. For `builtin-1`, `builtin-0` is what this lookalike brings."""
    from lookalike.encoders import load

    if request.param == "builtin-1":
        monkeypatch.setattr(load, "BUILTIN_FOLDER", HERE / "builtin-0" / "weights")
    upgraded = Upgraded(HERE / request.param, tmp_path)
    shutil.rmtree(upgraded.models, ignore_errors=True)
    return upgraded


def answer(collection, query) -> tuple[list[str], float]:
    hits = collection.search(query, k=100).hits
    return [Path(hit.uri).name for hit in hits], hits[0].score


@pytest.mark.parametrize("asked_for", [None, "builtin"], ids=["by itself", "asked for by name"])
def test_words_and_pictures_find_what_they_found(kept, asked_for):
    with kept.open(encoder=asked_for) as collection:
        for name, told in kept.record["answers"].items():
            names, best = answer(collection, HERE / "photos" / name if name.endswith(".jpg") else name)
            assert names == told["hits"], name
            assert best == pytest.approx(told["score"], abs=TOLERANCE)
        assert collection.encoder.id == kept.record["encoder"]


def test_moving_to_the_present_one_is_offered_in_one_sentence(kept):
    with kept.open() as collection:
        collection.search("a cat")
        collection.search("the moon")
    (sentence,) = kept.said
    assert "lookalike migrate --encoder builtin" in sentence


def test_new_pictures_are_taken_with_the_encoder_it_was_made_with(kept, drawn):
    with kept.open() as collection:
        *_, report = collection.sync([HERE / "photos"])
        assert (report.added, report.encoded) == (len(PHOTOS), 0)
        *_, report = collection.sync([min(drawn.iterdir())])
        assert report.encoded == 1
        assert collection.verify(sample=50).problems == ()


def test_without_the_older_weights_the_way_on_is_named(lost):
    with lost.open() as collection:
        assert collection.status()["pictures"] == len(PHOTOS)
        for query in ("a cat", PHOTOS[0]):
            with pytest.raises(EncoderUnavailable, match=lost.record["encoder"]) as caught:
                collection.search(query)
            assert "lookalike migrate --encoder builtin" in caught.value.hint


def test_it_moves_to_the_present_built_in_without_the_older_weights(lost):
    with lost.open() as collection:
        present = load_encoder(models_dir=lost.models).id
        *_, report = collection.migrate("builtin")
        assert report.switched
        *_, report = collection.sync([HERE / "photos"])
        assert report.added == len(PHOTOS)
        for photo in PHOTOS:
            names, best = answer(collection, photo)
            assert names[0] == photo.name
            assert best == pytest.approx(1, abs=TOLERANCE)
        assert collection.encoder.id == present != lost.record["encoder"]
        assert len(answer(collection, "a cat")[0]) == len(PHOTOS)
