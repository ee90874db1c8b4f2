"""Copies that share a place among answers: which pairs of a collection may, how many rightly, and what that costs.

    python tools/bench/copies.py --collection DIR [--truth CSV] [--words FILE] [--pairs FILE] [--out FILE]

The collection is asked as it is; what looks for duplicates found in it counts, so take one without such a look to see
what answers alone can tell. All pairs that would share a place if both were answers are found: fingerprints that
differ in few bits agree in one of eight parts. With the truth of `duplicates_set.py` these pairs are judged, and the
share of copies that find the place of their original is told, with its interval by bootstrap over photos. Without it
they are only counted, and written to `--pairs` to be looked at. `--words`: a file with a question in each line; each is
asked with and without, in turns and `ROUNDS` times, and the quickest of its answers compared, which other work on the
machine disturbs least; the interval is by bootstrap over questions.
"""

from __future__ import annotations

import csv
import math
import random
import statistics
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import arguments, show

import lookalike
from lookalike.engine.copies import Copies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAME = frozenset({"original", "bytes", "png"})
"""Edits that leave the pixels as they are: items of one picture."""
PARTS = 8
"""Of a fingerprint: where at most `copies.MOST_BITS` bits differ, fewer than that many parts do."""
RESAMPLES = 1000
ROUNDS = 9
WORDS_K = (10, 60)
MOST_RATIO = 1.03


def sharing(photos: lookalike.Collection) -> set[tuple[str, str]]:
    """The paths of all pairs of pictures that would share a place."""
    pairs = set()
    with photos._store.snapshot() as snapshot:  # noqa: SLF001 - no search asks for all pairs
        rows = list(range(snapshot.count))
        items = snapshot.items_of(rows)
        buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
        for row, (bits, _) in snapshot.fingerprints_of(rows).items():
            size = len(bits) // PARTS
            for part in range(PARTS):
                buckets[part, bits[part * size : (part + 1) * size]].append(row)
        for some in {tuple(sorted(each)) for each in buckets.values() if len(each) > 1}:
            copies = Copies(snapshot)
            copies.look(list(some), items)
            for one, row in combinations(some, 2):
                if copies.first_of(row, {one}) is not None:
                    pairs.add((items[one][0].uri, items[row][0].uri))
    return pairs


def judged(pairs: set[tuple[str, str]], truth: Mapping[str, tuple[str, str, str]]) -> dict[str, Any]:
    """Precision over pairs; recall over the copies of each photo, which should share the place of the original."""
    named = [(truth[Path(one).name], truth[Path(other).name]) for one, other in pairs]
    kinds = [verdict(one, other) for one, other in named]
    found = {(one[0], other[1]) for one, other in named if one[0] == other[0] and one[1] in SAME}
    found |= {(one[0], one[1]) for one, other in named if one[0] == other[0] and other[1] in SAME}
    by_edit: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_photo: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for photo, edit, kind in truth.values():
        if kind == "copy":
            for count in (by_edit[edit], by_photo[photo]):
                count[0] += (photo, edit) in found
                count[1] += 1
    return {
        "pairs of copies": kinds.count("copy"),
        "pairs of edited": kinds.count("edited"),
        "pairs of other photos": kinds.count("other photo"),
        "precision": round(kinds.count("copy") / max(len(kinds), 1), 4),
        "recall": interval(list(by_photo.values())),
        "recall by edit": {edit: round(hit / of, 3) for edit, (hit, of) in sorted(by_edit.items())},
    }


def verdict(one: tuple[str, str, str], other: tuple[str, str, str]) -> str:
    """What a pair that shares a place is in truth."""
    if one[0] != other[0]:
        return "other photo"
    return "edited" if "edited" in (one[2], other[2]) else "copy"


def interval(counts: Sequence[Sequence[float]]) -> list[float]:
    """Share of the first sum in the second, and its 95 % interval by bootstrap over what is counted."""
    draw = random.Random(14)
    shares = []
    for _ in range(RESAMPLES):
        some = draw.choices(counts, k=len(counts))
        shares.append(sum(hit for hit, _ in some) / max(sum(of for _, of in some), 1))
    shares.sort()
    share = sum(hit for hit, _ in counts) / max(sum(of for _, of in counts), 1)
    return [round(each, 4) for each in (share, shares[RESAMPLES // 40], shares[-RESAMPLES // 40])]


def speed(photos: lookalike.Collection, words: Sequence[str], k: int) -> dict[str, Any]:
    """Milliseconds of a search with copies folded and with all shown, medians over questions, and their ratio."""
    least: dict[bool, list[float]] = {each: [math.inf] * len(words) for each in (False, True)}
    for turn in range(ROUNDS):
        for number, question in enumerate(words):
            for all_copies in (False, True) if (number + turn) % 2 else (True, False):
                began = time.perf_counter()
                photos.search(question, k=k, all_copies=all_copies)
                took = 1000 * (time.perf_counter() - began)
                least[all_copies][number] = min(least[all_copies][number], took)
    folded, shown = (round(statistics.median(least[each]), 3) for each in (False, True))
    ratio = interval(list(zip(least[False], least[True], strict=True)))
    return {"folded": folded, "all shown": shown, "ratio": ratio}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--collection", type=Path, required=True)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--words", type=Path)
    parser.add_argument("--pairs", type=Path)
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    with lookalike.open(given.collection, create=False) as photos:
        if given.words:
            words = given.words.read_text(encoding="utf-8").splitlines()
            photos.search(words[0])
            figures |= {f"ms of {k} answers": speed(photos, words, k) for k in WORDS_K}
        pairs = sharing(photos)
    figures["pairs"] = len(pairs)
    if given.truth:
        with given.truth.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            truth = {Path(row["file"]).name: (row["photo"], row["edit"], row["kind"]) for row in rows}
        figures |= judged(pairs, truth)
    if given.pairs:
        lines = (f"{one}\t{other}\n" for one, other in sorted(pairs))
        given.pairs.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
    goals = {
        "no other photo hidden": figures.get("pairs of other photos", 0) == 0,
        "< 3 % of the time": all(
            each["ratio"][0] < MOST_RATIO for name, each in figures.items() if name.startswith("ms")
        ),
    }
    show("copies among answers", figures, goals, given.out)


if __name__ == "__main__":
    main()
