"""What is taken reaches the collection in batches, however it was recognised."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lookalike.core.records import Asset, Picture
from lookalike.engine.spool import Pending
from lookalike.engine.take import PUBLISH_EVERY, Taker
from lookalike.images.decode import decode_picture
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder, draw_pictures

if TYPE_CHECKING:
    from pathlib import Path


def test_recognised_files_are_published_in_batches_and_not_gathered_to_the_end(tmp_path: Path):
    data = draw_pictures(tmp_path / "p", 1)[0].read_bytes()
    toy = ToyEncoder()
    with Store.open(tmp_path / "c.lookalike") as store, store.writer() as writer:
        root = writer.add_root(bytes(tmp_path / "p"), is_file=False)
        taker = Taker(writer, toy, writer.create_space(toy.id, toy.name, toy.dim))

        def pending(number: int) -> Pending:
            return Pending(root.number, Asset(b"%d.jpg" % number, f"/p/{number}.jpg", len(data), 1), None)

        picture = decode_picture(data, side=toy.image_side)
        assert isinstance(picture, Picture)
        taker.take(pending(0), picture)
        taker.publish()
        digest = hashlib.blake2b(data, digest_size=16).digest()
        assert all(taker.take_known(pending(number), digest) for number in range(1, 3 * PUBLISH_EVERY))
        assert store.counts().items > 2 * PUBLISH_EVERY
        taker.publish()
        assert (store.counts().items, store.counts().rows, taker.encoded) == (3 * PUBLISH_EVERY, 1, 1)
