"""Groups as they are asked for, page by page, are those that follow from all pairs and all items at once."""

from __future__ import annotations

import os
import random
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest

import lookalike
from lookalike.core.records import LIKENESS_KINDS, Fingerprint
from lookalike.engine.grouping import groups
from lookalike.engine.keeping import Keeping
from lookalike.engine.likeness import as_saved, facts_of
from lookalike.engine.likeness_words import reasons_of, stored, why_alike, why_kept
from lookalike.engine.originals import made_from_others
from lookalike.engine.remembered import Remembered
from lookalike.store.collection_store import Store
from lookalike.store.likenesses import PairRecord
from lookalike.testing import ToyEncoder
from stored_files import found

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.store.collection_store import Found, Root

PARTS, MOST = 150, 5
"""Parts that may be connected, and pictures of each."""
METHOD = 1_000
"""Above every method there is."""
EQUAL = ("the same picture", "the same file, byte for byte", "the same pixels in another file")
ROOT = os.fsencode(os.path.abspath("/photos"))
WHY = {
    "copy": (("saved_again", "JPEG"),),
    "edited": (("bordered",),),
    "burst": (("later", 0.4), ("same_camera",)),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A collection of pictures, some in several places; likenesses of all kinds; decisions about some of them."""
    path, drawing = tmp_path_factory.mktemp("groups") / "drawn.lookalike", random.Random(14)
    with Store.open(path) as store:
        with store.writer() as writer:
            root = writer.add_root(ROOT, is_file=False)
            space = writer.create_space(ToyEncoder().id, "toy", ToyEncoder().dim)
            writer.put(space, files(root, drawing))
        with store.snapshot() as snapshot:
            items = [item for its in snapshot.items_of(range(snapshot.count)).values() for item in its]
        numbers = {tuple(map(int, item.key.split(b"-")[:2])): item.picture for item in items}
        store.likenesses.put(pairs(numbers, drawing), [], METHOD)
        by_part = {part: [item.id for item in items if int(item.key.split(b"-")[0]) == part] for part in range(PARTS)}
        store.likenesses.put_apart(tuple(drawing.sample(by_part[part], 2)) for part in range(0, PARTS, 6))
        store.likenesses.put_kept([drawing.choice(by_part[part]) for part in range(0, PARTS, 9)])
    return path


def files(root: Root, drawing: random.Random) -> list[Found]:
    taken = []
    for part in range(PARTS):
        for number in range(drawing.randint(2, MOST)):
            for copy in range(drawing.choice((1, 1, 1, 2))):
                name, width = f"{part}-{number}", drawing.choice((40, 44, 80))
                inner = bytes(32) if drawing.random() < 0.4 else None
                taken.append(
                    found(
                        root,
                        f"{name}-{copy}.jpg".encode(),
                        name,
                        rating="*" * (copy and drawing.randint(0, 1)),
                        width=width,
                        height=3 * width // 4,
                        format=drawing.choice(("JPEG", "PNG")),
                        modified_ns=drawing.randint(1, 5),
                        picture_metadata={"camera": "X100"} if drawing.random() < 0.3 else {},
                        vector=np.eye(ToyEncoder().dim, dtype=np.float32)[part % ToyEncoder().dim],
                        fingerprint=Fingerprint(bytes(32), 90, inner),
                    )
                )
    return taken


def pairs(numbers: dict[tuple[int, int], int], drawing: random.Random) -> list[PairRecord]:
    """Of each part all pairs of one kind, or some of any kind, or none."""
    found = []
    for part in range(PARTS):
        pictures = sorted(number for (of, _), number in numbers.items() if of == part)
        kinds, share = drawing.choice(((["copy"], 1), (["edited"], 1), (["burst"], 1), ([*WHY], 0.6), ([], 0)))
        for first, second in combinations(pictures, 2):
            if drawing.random() < share:
                kind = drawing.choice(kinds)
                found.append(PairRecord(first, second, kind, drawing.randint(1, 9) / 10, stored(WHY[kind]), METHOD))
    return found


@pytest.fixture
def collection(place):
    with lookalike.open(place, encoder=ToyEncoder()) as opened:
        yield opened


def slowly(path: Path, kinds, where=None) -> list[tuple]:
    """Kind, sure, why, which is kept and why, and the members of all groups: everything is read and put in order."""
    with Store.open(path) as store, store.snapshot() as snapshot:
        pairs = list(snapshot.likenesses(kinds))
        items = snapshot.items_of_pictures(snapshot.pictures()[0].tolist())
        made = made_from_others(pairs, items, snapshot.bordered_pictures()).and_of(items.values())
        keeping, records = Keeping("best", (), snapshot.kept(), made), {i.id: i for its in items.values() for i in its}
        condition, apart = Remembered(store, print).condition(snapshot, where), snapshot.apart()
        met = set(records) if condition is None else snapshot.where_items(condition, records)
    ids = {picture: [item.id for item in its if item.id in met] for picture, its in items.items()}
    ordered = sorted(records.values(), key=keeping.key, reverse=True)
    parted = {
        frozenset((one.id, other.id))
        for one, other in combinations(ordered, 2)
        if apart.parts((one.id, one.picture), (other.id, other.picture))
    }
    rank = {item.id: place for place, item in enumerate(ordered)}
    told = []
    for group in groups(pairs, ids, rank, apart=parted, kinds=kinds):
        centre, *others = (records[item.id] for item in group.items)
        place = LIKENESS_KINDS.index(group.kind), min(item.picture for item in group.items), centre.id
        members = [(item.id, item.kind, item.sure) for item in group.items]
        least = next(other for other in group.items[1:] if (other.kind, other.sure) == (group.kind, group.sure))
        reasons = as_saved(reasons_of(group.why), facts_of(centre), facts_of(records[least.id]))
        why = "equal" if group.kind == "same" else why_alike(reasons)
        told.append((place, group.sure, why, why_kept(keeping.reasons(centre, others)), members))
    return sorted(told)


def told(group) -> tuple:
    members = [(item.id, item.kind, item.sure) for item in group.items]
    place = LIKENESS_KINDS.index(group.kind), min(item.picture for item in group.items), group.keep
    return place, group.sure, "equal" if group.why in EQUAL else group.why, group.keep_why, members


@pytest.mark.parametrize("where", [None, "width < 80", "format = JPEG"])
@pytest.mark.parametrize("kinds", [LIKENESS_KINDS, *([kind] for kind in LIKENESS_KINDS), ["copy", "edited"]])
def test_groups_are_those_that_everything_at_once_makes(collection, place, kinds, where):
    expected = slowly(place, kinds, where)
    assert len(expected) > 5
    assert [told(group) for group in collection.duplicates.all_groups(kinds, where)] == expected
    after, pages = None, []
    while after or not pages:
        page = collection.duplicates.groups(kinds, where, after=after, limit=7)
        pages += [told(group) for group in page.groups]
        after = page.next
    assert pages == expected
    assert page.counts == {kind: sum(each[0][0] == LIKENESS_KINDS.index(kind) for each in expected) for kind in kinds}


def test_a_page_begins_behind_a_group_that_is_gone(collection):
    before = collection.duplicates.groups(limit=4)
    kept, others = before.groups[-1].keep, [item.id for item in before.groups[-1].items[1:]]
    for other in others:
        collection.duplicates.not_same(kept, other)
    behind = collection.duplicates.groups(after=before.next, limit=2)
    for other in others:
        collection.duplicates.undo_not_same(kept, other)
    as_it_was = collection.duplicates.groups(after=before.next, limit=2)
    assert [group.key for group in behind.groups] == [group.key for group in as_it_was.groups]
