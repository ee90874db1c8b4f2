"""What relevance is judged by where nobody measured the encoder: the collection's own scale."""

from __future__ import annotations

import lookalike
from lookalike.engine.judging import LEAST_ROWS, SCALE_SETTING
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder, draw_pictures


def test_the_scale_of_an_unmeasured_encoder_is_kept_with_the_collection(tmp_path):
    draw_pictures(tmp_path / "photos", LEAST_ROWS + 5)
    encoder = ToyEncoder()
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        list(opened.sync([tmp_path / "photos"]))
        known = [hit.relevance for hit in opened.search("red circle", mode="meaning")]
    with Store.open(tmp_path / "c.lookalike") as store:
        noted = store.setting(SCALE_SETTING)[encoder.id]
    assert noted["rows"] > LEAST_ROWS
    assert noted["scale"].keys() == {"words", "pictures"}
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        assert [hit.relevance for hit in opened.search("red circle", mode="meaning")] == known


def test_a_few_pictures_have_no_relevance(tmp_path):
    draw_pictures(tmp_path / "photos", 24)
    with lookalike.open(tmp_path / "c.lookalike", encoder=ToyEncoder()) as opened:
        list(opened.sync([tmp_path / "photos"]))
        hits = opened.search("red circle", min_relevance=0.5)
        assert {hit.relevance for hit in hits} == {None}
        assert len(hits) == 10
