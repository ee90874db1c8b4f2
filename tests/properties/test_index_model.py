"""Whatever is put, removed, built, spoilt and compacted in whatever order: a search of full effort answers exactly.

The oracle is a scan over the vectors of the pictures that are there. After every step the same question is asked
without a filter and below a folder, with an effort that visits all an index holds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lookalike import Query, Term
from lookalike.engine.collection import Collection
from lookalike.engine.plan import K_MEASURED
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder
from stored_files import found

ROOT = os.fsencode(os.path.join(os.path.abspath(os.sep), "pictures"))
FOLDERS = [b"a", b"b"]
EFFORT = 10_000
QUESTION = np.cos(np.arange(1, 65)).astype(np.float32)
KINDS = ["flat", "ivf-rabitq", "hnsw"]
TOLERANCE = 1e-3
"""Of float16 rows to the float32 vectors the model keeps."""


def vector_of(number: int) -> np.ndarray:
    vector = np.random.default_rng(number).standard_normal(64).astype(np.float32) + QUESTION
    return vector / np.linalg.norm(vector)


class IndexMachine(RuleBasedStateMachine):
    @initialize(kind=st.sampled_from(KINDS))
    def begin(self, kind: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lookalike-test-"))
        encoder = ToyEncoder(text=False)
        store = Store.open(self.folder / "c.lookalike")
        with store.writer() as writer:
            self.root = writer.add_root(ROOT, is_file=False)
            self.space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        self.told: list[str] = []
        self.collection = Collection(store, encoder=encoder, notice=self.told.append)
        self.collection.configure_index(kind=kind)
        self.store = store
        self.there: dict[bytes, int] = {}
        self.next = 0
        self.put(many=30, folder=b"a")

    @rule(many=st.integers(1, 25), folder=st.sampled_from(FOLDERS))
    def put(self, many: int, folder: bytes) -> None:
        files = []
        for _ in range(many):
            key = folder + b"/%d.jpg" % self.next
            files.append(found(self.root, key, str(self.next), vector=vector_of(self.next)))
            self.there[key] = self.next
            self.next += 1
        with self.store.writer() as writer:
            writer.put(self.space, files)

    @rule(share=st.sampled_from([0.1, 0.5]), data=st.randoms(use_true_random=False))
    def remove(self, share: float, data) -> None:
        gone = data.sample(sorted(self.there), int(len(self.there) * share))
        with self.store.writer() as writer:
            for key in gone:
                writer.remove_below(os.path.join(ROOT, *key.split(b"/")))
                del self.there[key]
            self.root = writer.add_root(ROOT, is_file=False)

    @rule()
    def build(self) -> None:
        list(self.collection.build_index(again=True))

    @rule(kind=st.sampled_from(KINDS))
    def build_another_kind(self, kind: str) -> None:
        self.collection.configure_index(kind=kind)
        list(self.collection.build_index())

    @rule()
    def compact(self) -> None:
        self.collection.compact()

    @rule(at=st.floats(0, 0.99))
    def spoil(self, at: float) -> None:
        """One byte of the index file is another; the collection is opened anew, as after a night on a bad disk."""
        self.collection.close()
        for file in self.store.path.glob("spaces/*/index-*.faiss"):
            content = bytearray(file.read_bytes())
            content[int(at * len(content))] ^= 0x10
            file.write_bytes(content)
        self.store = Store.open(self.store.path)
        self.collection = Collection(self.store, encoder=ToyEncoder(text=False), notice=self.told.append)

    @invariant()
    def answers_are_exact(self) -> None:
        for folder in (None, os.path.join(ROOT, b"a")):
            keys = [key for key in self.there if folder is None or key.startswith(b"a/")]
            scores = np.sort([-float(vector_of(self.there[key]) @ QUESTION) for key in keys])[:K_MEASURED]
            query = Query((Term("vector", QUESTION),), k=K_MEASURED, folder=folder, effort=EFFORT)
            hits = self.collection.search(query).hits
            assert len(hits) == min(K_MEASURED, len(keys))
            np.testing.assert_allclose([hit.score for hit in hits], -scores / np.linalg.norm(QUESTION), atol=TOLERANCE)
            uris = {os.fsdecode(os.path.join(ROOT, *key.split(b"/"))) for key in keys}
            assert {hit.uri for hit in hits} <= uris

    def teardown(self) -> None:
        if hasattr(self, "collection"):
            assert list(self.store.verify()) == []
            self.collection.close()
            shutil.rmtree(self.folder)


TestIndex = IndexMachine.TestCase
TestIndex.settings = settings(max_examples=8, stateful_step_count=12, deadline=None, derandomize=True)
