"""The encoder of a collection is loaded once, whoever asks for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import lookalike
from lookalike.testing import draw_pictures


def test_threads_that_ask_at_once_share_one_encoder(tmp_path):
    draw_pictures(tmp_path / "pictures", 2)
    with lookalike.open(tmp_path / "drawn.lookalike") as made:
        list(made.sync([tmp_path / "pictures"]))
    with (
        lookalike.open(tmp_path / "drawn.lookalike", create=False) as opened,
        ThreadPoolExecutor(8) as threads,
    ):
        encoders = [asked.result() for asked in [threads.submit(lambda: opened.encoder) for _ in range(8)]]
    assert len({id(encoder) for encoder in encoders}) == 1
