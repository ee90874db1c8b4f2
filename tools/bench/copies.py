"""Copies that share a place among answers: how many rightly, how many wrongly, and what that costs.

    python tools/bench/copies.py --collection DIR [--truth CSV] [--every N] [--words FILE] [--pairs FILE] [--out FILE]

The collection is asked as it is; what looks for duplicates found in it counts, so take one without such a look to see
what answers alone can tell. Every Nth item is a question (`K` answers). With the truth of `duplicates_set.py` the pairs
that share a place are judged, and the share of the copies that came as answers and found their place is told, with
intervals by bootstrap over photos. Without it all pairs are only counted, and written to `--pairs` to be looked at.
`--words`: a file with a question in each line; each is asked with and without, in turns, and the medians compared.
"""

from __future__ import annotations

import csv
import random
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import arguments, show

import lookalike

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

K = 40
"""Answers to each question: more than a photo has versions in the set."""
SAME = frozenset({"original", "bytes", "png"})
"""Edits that leave the pixels as they are."""
RESAMPLES = 1000
WORDS_K = (10, 60)
MOST_RATIO = 1.03


def asked(photos: lookalike.Collection, every: int) -> Iterator[tuple[str, lookalike.Results]]:
    """Items by their paths, and what is like them."""
    with photos._store.snapshot() as snapshot:  # noqa: SLF001 - no other way gives every item
        found = [items[0] for row in range(0, snapshot.count, every) if (items := snapshot.items_of([row])[row])]
    for item in found:
        yield item.uri, photos.search((lookalike.Term("item", item.id),), k=K)


def sharing(results: Iterable[lookalike.Hit]) -> Iterator[tuple[str, str]]:
    """The paths of hits with those that share their place."""
    for hit in results:
        for other in hit.metadata.get("copies", ()):
            yield hit.uri, other


def judged(photos: lookalike.Collection, truth: Mapping[str, tuple[str, str, str]], every: int) -> dict[str, Any]:
    """Precision over the pairs that share a place, recall over the copies of the question's photo among its answers."""
    pairs: set[tuple[str, str]] = set()
    by_edit: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_photo: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for uri, results in asked(photos, every):
        photo, edit, _ = truth[Path(uri).name]
        pairs.update(sharing(results))
        if edit not in SAME:
            continue
        shares = {other for hit, other in sharing(results) if truth[Path(hit).name][1] in SAME}
        came = {hit.uri for hit in results} | {other for _, other in sharing(results)}
        for each in came:
            of, how, kind = truth[Path(each).name]
            if of == photo and kind == "copy":
                for count in (by_edit[how], by_photo[photo]):
                    count[0] += each in shares
                    count[1] += 1
    kinds = [verdict(truth[Path(one).name], truth[Path(other).name]) for one, other in pairs]
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


def interval(counts: Sequence[Sequence[int]]) -> list[float]:
    """Share, and its 95 % interval by bootstrap over photos."""
    draw = random.Random(14)
    shares = []
    for _ in range(RESAMPLES):
        some = draw.choices(counts, k=len(counts))
        shares.append(sum(hit for hit, _ in some) / max(sum(of for _, of in some), 1))
    shares.sort()
    share = sum(hit for hit, _ in counts) / max(sum(of for _, of in counts), 1)
    return [round(each, 4) for each in (share, shares[RESAMPLES // 40], shares[-RESAMPLES // 40])]


def speed(photos: lookalike.Collection, words: Sequence[str], k: int) -> dict[str, float]:
    """Milliseconds of a search with copies folded and with all shown, asked in turns."""
    took: dict[bool, list[float]] = {False: [], True: []}
    for number, question in enumerate(words):
        for all_copies in (False, True) if number % 2 else (True, False):
            began = time.perf_counter()
            photos.search(question, k=k, all_copies=all_copies)
            took[all_copies].append(1000 * (time.perf_counter() - began))
    folded, shown = (statistics.median(took[each]) for each in (False, True))
    return {"folded": round(folded, 3), "all shown": round(shown, 3), "ratio": round(folded / shown, 4)}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--collection", type=Path, required=True)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--words", type=Path)
    parser.add_argument("--pairs", type=Path)
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    with lookalike.open(given.collection, create=False) as photos:
        if given.words:
            words = given.words.read_text(encoding="utf-8").splitlines()
            photos.search(words[0])
            figures |= {f"ms of {k} answers": speed(photos, words, k) for k in WORDS_K}
        if given.truth:
            with given.truth.open(encoding="utf-8", newline="") as file:
                truth = {
                    Path(row["file"]).name: (row["photo"], row["edit"], row["kind"]) for row in csv.DictReader(file)
                }
            figures |= judged(photos, truth, given.every)
        elif not given.words:
            pairs = sorted({pair for _, results in asked(photos, given.every) for pair in sharing(results)})
            figures["pairs"] = len({tuple(sorted(pair)) for pair in pairs})
            if given.pairs:
                given.pairs.write_text("".join(f"{one}\t{other}\n" for one, other in pairs), encoding="utf-8")
    goals = {
        "no other photo hidden": figures.get("pairs of other photos", 0) == 0,
        "< 3 % of the time": all(each["ratio"] < MOST_RATIO for name, each in figures.items() if name.startswith("ms")),
    }
    show("copies among answers", figures, goals, given.out)


if __name__ == "__main__":
    main()
