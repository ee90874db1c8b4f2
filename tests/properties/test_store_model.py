"""The store behaves like a dictionary from places to contents, whatever is done to it in whatever order.

The model knows for each (root, key) its content, and the id it must have kept. After every step every item's
stored vector must be its own content's, and nothing may be wrong inside.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lookalike.store.collection_store import Store
from stored_files import ENCODER, failure, found, recognised, row_of, rows_path

TOP = os.path.abspath(os.sep)
ROOTS = [os.fsencode(os.path.join(TOP, "one")), os.fsencode(os.path.join(TOP, "two"))]
FOLDERS = [b"", b"a", b"a/b", b"a\xff"]
KEYS = [folder + b"/" * bool(folder) + name for folder in FOLDERS for name in (b"x.png", b"y.png", b"a")]
CONTENTS = [str(number) for number in range(6)]

places = st.tuples(st.integers(0, 1), st.sampled_from(KEYS))
contents = st.sampled_from(CONTENTS)


class StoreMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lookalike-test-"))
        self.store = Store.open(self.folder / "c.lookalike")
        self.model: dict[tuple[int, bytes], str] = {}
        self.ids: dict[tuple[int, bytes], str] = {}
        self.fresh: set[tuple[int, bytes]] = set()
        self.offline = [False, False]
        self._open_roots()

    def _open_roots(self) -> None:
        with self.store.writer() as writer:
            self.roots = [writer.add_root(path, is_file=False) for path in ROOTS]
            self.space = writer.create_space(*ENCODER)

    def _file(self, place: tuple[int, bytes], content: str, writer):
        """A new picture comes with its vector, a known one without, as in a real run."""
        root = self.roots[place[0]]
        known = writer.pictures_by_bytes([found(root, place[1], content).bytes_digest])
        if writer.with_rows(self.space, list(known.values())):
            return recognised(root, place[1], content)
        return found(root, place[1], content)

    def _took(self, place: tuple[int, bytes], content: str) -> None:
        if place not in self.model:
            self.fresh.add(place)
        self.model[place] = content

    def _gone(self, place: tuple[int, bytes]) -> None:
        self.model.pop(place, None)
        self.ids.pop(place, None)
        self.fresh.discard(place)

    @rule(files=st.dictionaries(places, contents, max_size=6))
    def put(self, files: dict[tuple[int, bytes], str]) -> None:
        with self.store.writer() as writer:
            batch = []
            for place, content in files.items():
                batch.append(self._file(place, content, writer))
                self._took(place, content)
            writer.put(self.space, batch)

    @rule(place=places)
    def fail(self, place: tuple[int, bytes]) -> None:
        with self.store.writer() as writer:
            writer.note_failures([failure(self.roots[place[0]], place[1])])
        self._gone(place)

    @rule(
        moves=st.dictionaries(places, places, max_size=3),
        deleted=st.sets(places, max_size=3),
        walked=st.sampled_from([0, 1, None]),
        below=st.sampled_from(FOLDERS),
    )
    def run(self, moves, deleted, walked, below) -> None:
        """A run over one root (below a folder) or over both: files were moved and deleted meanwhile."""
        inside = [
            place
            for place in self.model
            if walked is None
            or (place[0] == walked and (not below or place[1] == below or place[1].startswith(below + b"/")))
        ]
        moved = {
            old: new
            for old, new in moves.items()
            if old in inside and new not in self.model and list(moves.values()).count(new) == 1
        }
        gone = {place for place in inside if place in deleted and place not in moved}
        with self.store.writer() as writer:
            for place in set(inside) - set(moved) - gone:
                writer.mark_seen(self.roots[place[0]].number, [place[1]])
            arrived = [self._file(new, self.model[old], writer) for old, new in moved.items()]
            writer.put(self.space, arrived)
            for old, new in moved.items():
                self._took(new, self.model[old])
            scopes = [(self.roots[0].number, b""), (self.roots[1].number, b"")]
            report = writer.finish(scopes if walked is None else [(scopes[walked][0], below)])
        self._settle(set(moved) | gone, report)

    def _settle(self, vanished: set[tuple[int, bytes]], report) -> None:
        """As many moves as vanished places can be paired with new places of equal content; ids live on in those."""
        paired = 0
        for content in {self.model[place] for place in vanished}:
            old = [place for place in vanished if self.model[place] == content]
            new = [place for place in self.fresh - vanished if self.model[place] == content]
            paired += min(len(old), len(new))
            if len(old) >= 1 and len(new) == len(old) == 1:
                self.ids[new[0]] = self.ids[old[0]]
            else:
                for place in new:
                    self.ids.pop(place, None)
        assert (report.moved, report.removed) == (paired, len(vanished) - paired)
        for place in vanished:
            self._gone(place)
        self.fresh.clear()

    @rule(root=st.integers(0, 1), below=st.sampled_from(FOLDERS[1:]))
    def remove(self, root: int, below: bytes) -> None:
        path = ROOTS[root] + os.fsencode(os.sep) + below.replace(b"/", os.fsencode(os.sep))
        gone = [place for place in self.model if place[0] == root and (place[1] + b"/").startswith(below + b"/")]
        with self.store.writer() as writer:
            assert writer.remove_below(path) == len(gone)
        for place in gone:
            self._gone(place)

    @rule(root=st.integers(0, 1), away=st.booleans())
    def unplug(self, root: int, *, away: bool) -> None:
        with self.store.writer() as writer:
            writer.set_offline(self.roots[root].number, away)
        self.offline[root] = away

    @precondition(lambda self: any(self.offline))
    @rule()
    def prune(self) -> None:
        gone = [place for place in self.model if self.offline[place[0]]]
        with self.store.writer() as writer:
            assert writer.prune_offline() == len(gone)
        for place in gone:
            self._gone(place)
        self.offline = [False, False]
        self._open_roots()

    @rule()
    def make_columns(self) -> None:
        with self.store.writer() as writer:
            assert writer.make_columns(least=1) == bool(self.model)

    @rule()
    def compact(self) -> None:
        with self.store.writer() as writer:
            writer.compact()
        assert self.store.counts().rows == len(set(self.model.values()))

    @rule(tail=st.binary(min_size=1, max_size=100))
    def die_while_appending_and_reopen(self, tail: bytes) -> None:
        self.store.close()
        epoch = Store.open(self.folder / "c.lookalike", read_only=True)
        space = epoch.current_space()
        epoch.close()
        with rows_path(self.folder / "c.lookalike", space.epoch).open("ab") as stream:
            stream.write(tail)
        self.store = Store.open(self.folder / "c.lookalike")

    @invariant()
    def is_the_model(self) -> None:
        assert list(self.store.verify()) == []
        with self.store.snapshot() as snapshot:
            items = snapshot.items_of(range(snapshot.count))
            seen: dict[tuple[int, bytes], str] = {}
            numbers = [root.number for root in self.roots]
            for row, its in items.items():
                for item in its:
                    place = (numbers.index(item.root), item.key)
                    assert place not in seen
                    assert item.offline == self.offline[place[0]]
                    np.testing.assert_array_equal(snapshot.rows[row], row_of(self.model[place]))
                    seen[place] = item.id
            assert set(seen) == set(self.model)
            assert len(set(seen.values())) == len(seen)
            for place, id in self.ids.items():
                assert seen[place] == id
            self.ids = seen
            for path, number in zip(ROOTS, numbers, strict=True):  # by columns while they are right, else by SQL
                below = [any(item.root == number for item in items[row]) for row in range(snapshot.count)]
                assert snapshot.mask_below(path).tolist() == below
            live = snapshot.live_mask()
            shown = sum(bool(its) for its in items.values())
            assert shown == (snapshot.count if live is None else live.sum())
        counts = self.store.counts()
        assert (counts.items, counts.pictures) == (len(self.model), len(set(self.model.values())))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=25, deadline=None, derandomize=True)
