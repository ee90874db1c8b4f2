"""Precision and recall of duplicates per kind on edited photos (`duplicates_set.py`), beside a peer's.

    python tools/bench/duplicates_quality.py SET COLLECTION [--peer peer.json] [--json OUT.json] [--one N=N ...]

SET has truth.csv and edits/, or those of some photos; COLLECTION was made of edits/ by `lookalike index`, and
`lookalike duplicates` looked at it; peer.json is what `duplicates_peer.py` wrote of the same files. Recall: the edits
that are found with their original (in one group; for the peer, as a pair), by edit, and those told with the right
kind. Precision: of all pairs of files that are put together (members of a group with what is kept; for the peer, its
pairs), those that are of one photo. `--one 640=678`: the photos of these numbers are one picture that the source has
twice, as somebody saw who looked. Intervals: 95 %, by drawing photos again (bootstrap)."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import lookalike
from lookalike.store.collection_store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DRAWS, SEED = 1_000, 14
_ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Edited:
    """A file of the set."""

    photo: int
    edit: str
    kind: str


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says: pairs of files, and of each file that was found with its original the kind, "" for none."""

    pairs: set[tuple[str, str]]
    kind_of: Mapping[str, str]


def read_truth(folder: Path, one: Mapping[int, int]) -> dict[str, Edited]:
    """Of the edits that are there; `one`: photos that are another photo too."""
    files = {file.name for file in (folder / "edits").iterdir()}
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["file"].startswith("edits/")]
    named = {row["file"].partition("/")[2]: row for row in rows}
    photos = {name: int(row["photo"]) for name, row in named.items() if name in files}
    return {
        name: Edited(one.get(photo, photo), named[name]["edit"], named[name]["kind"]) for name, photo in photos.items()
    }


def told_by_collection(collection: Path, truth: Mapping[str, Edited]) -> Told:
    pairs: set[tuple[str, str]] = set()
    kinds: dict[str, str] = {}
    direct = likenesses_of_files(collection)
    with lookalike.open(collection) as opened:
        for group in opened.duplicates.all_groups(("same", "copy", "edited")):
            names = [Path(item.uri).name for item in group.items]
            kind_of = {name: str(item.kind) for name, item in zip(names, group.items, strict=True)}
            pairs.update((min(names[0], each), max(names[0], each)) for each in names[1:])
            originals = {truth[name].photo: name for name in names if truth[name].edit == _ORIGINAL}
            for name in names:
                original = originals.get(truth[name].photo)
                if original is not None and original != name:
                    kinds[name] = direct.get((min(name, original), max(name, original)), kind_of[name])
    return Told(pairs, kinds)


def likenesses_of_files(collection: Path) -> dict[tuple[str, str], str]:
    """The kind that was found of two files, as far as they were compared, or are of one picture."""
    with Store.open(collection) as store, store.snapshot() as snapshot:
        places = snapshot.items_of_pictures(snapshot.pictures()[0].tolist())
        names = {picture: sorted(Path(item.uri).name for item in items) for picture, items in places.items()}
        found = {pair: "same" for each in names.values() for pair in combinations(each, 2)}
        for record in snapshot.likenesses():
            for pair in product(names[record.first], names[record.second]):
                found[min(pair), max(pair)] = record.kind
    return found


def told_by_peer(pairs: Iterable[list[str]], truth: Mapping[str, Edited]) -> Told:
    known = {(first, second) for first, second in pairs if first in truth and second in truth}
    kinds = {}
    for pair in known:
        for one, other in (pair, pair[::-1]):
            if truth[one].edit == _ORIGINAL and truth[one].photo == truth[other].photo:
                kinds[other] = ""
    return Told(known, kinds)


def with_interval(right: Mapping[int, float], asked: Mapping[int, float]) -> dict[str, float]:
    """A share, `right` of `asked` summed over photos, and the interval of drawing photos again."""
    photos = sorted(asked)
    above, below = (np.array([each.get(photo, 0.0) for photo in photos]) for each in (right, asked))
    if not below.sum():
        return {}
    drawn = np.random.default_rng(SEED).integers(0, len(photos), (DRAWS, len(photos)))
    shares = above[drawn].sum(axis=1) / np.maximum(below[drawn].sum(axis=1), 1)
    low, high = np.quantile(shares, (0.025, 0.975))
    share = above.sum() / below.sum()
    return {"share": round(float(share), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def measured(told: Told, truth: Mapping[str, Edited]) -> dict[str, object]:
    asked: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    found: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    named: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    said: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for name, edited in truth.items():
        if edited.edit == _ORIGINAL:
            continue
        for what in (edited.edit, edited.kind):
            asked[what][edited.photo] += 1
            found[what][edited.photo] += name in told.kind_of
            named[what][edited.photo] += told.kind_of.get(name) == edited.kind
        if kind := told.kind_of.get(name, ""):
            said[kind][edited.photo] += 1
    right: dict[int, float] = defaultdict(float)
    every: dict[int, float] = defaultdict(float)
    for first, second in told.pairs:
        every[truth[first].photo] += 1
        right[truth[first].photo] += truth[first].photo == truth[second].photo
    wrong = sorted(pair for pair in told.pairs if truth[pair[0]].photo != truth[pair[1]].photo)
    return {
        "pairs": len(told.pairs),
        "precision": with_interval(right, every),
        "wrong": len(wrong),
        "wrong pairs": wrong[:50],
        "found": {what: with_interval(found[what], asked[what]) for what in asked},
        "found as its kind": {what: with_interval(named[what], asked[what]) for what in asked},
        "of those called so": {kind: with_interval(named[kind], said[kind]) for kind in said},
    }


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", action="append", default=[], help="N=N: two photos that are one picture")
    asked = parser.parse_args()
    pairs = [each.split("=") for each in asked.one]
    truth = read_truth(asked.set, {int(second): int(first) for first, second in pairs})
    answers = {"lookalike": measured(told_by_collection(asked.collection, truth), truth)}
    if asked.peer:
        for name, answer in json.loads(asked.peer.read_text()).items():
            answers[f"imagededup {name}"] = measured(told_by_peer(answer["pairs"], truth), truth)
    text = json.dumps({"photos": len({each.photo for each in truth.values()}), **answers}, indent=1)
    if asked.json:
        asked.json.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
