"""A collection learns its common words from its encoder's text tower, once."""

from __future__ import annotations

import threading

from lookalike.engine.word_learning import learn_words
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder
from stored_files import found


def test_common_words_are_learned_once_and_stopping_loses_nothing(tmp_path):
    toy = ToyEncoder()
    stop = threading.Event()
    stop.set()
    with Store.open(tmp_path / "c") as store, store.writer() as writer:
        root = writer.add_root(b"/p", is_file=False)
        space = writer.create_space(toy.id, toy.name, toy.dim)
        vector = toy.encode_texts(["red"])[0]
        titles = ["Red circle"] * 3 + ["Rare stork"]
        writer.put(
            space,
            [found(root, b"%d" % n, str(n), vector=vector, metadata={"title": each}) for n, each in enumerate(titles)],
        )
        assert learn_words(writer, space, lambda: toy, stop) == 0
        assert learn_words(writer, space, lambda: toy) == 2
        assert learn_words(writer, space, lambda: toy) == 0


def test_an_encoder_without_words_teaches_none(tmp_path):
    toy = ToyEncoder(text=False)
    with Store.open(tmp_path / "c") as store, store.writer() as writer:
        assert learn_words(writer, writer.create_space(toy.id, toy.name, toy.dim), lambda: toy) == 0
