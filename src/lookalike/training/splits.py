"""What is trained on, what stops the training, and what is measured: split so that copies never sit on both sides.

A shop photographs a shirt three times and sells it in two sizes with one picture; were one of them trained on and
another measured, the figure would tell how well the training remembers. So pictures that look like copies are one
group, and a group goes to one side whole.

Equal arguments give equal splits. numpy only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Vectors

TRAIN, VALIDATION, TEST = 0, 1, 2
"""The values of a split."""
SHARES = (0.8, 0.1, 0.1)
ENOUGH = 0.9
"""Of its share: a part that has this is not short of pictures."""
_BLOCK = 1024  # rows compared with all at once: 80 MB of cosines at 20,000 pictures


def duplicate_groups(
    vectors: Vectors | HalfVectors, threshold: float, *, same: Iterable[tuple[int, Hashable]] = ()
) -> NDArray[np.int64]:
    """The group of each picture, int64 (n,), numbered from 0 in order of first appearance.

    Two pictures are of one group when their cosine is at least `threshold`, or when `same` has an equal value for both:
    it holds pairs of a row and a value (a digest of pixels, the id of a product), any number of them for a row. Groups
    that touch are one. `vectors` (n, dim) have unit length. Time grows with n squared: 20,000 pictures take seconds.
    """
    parents = list(range(len(vectors)))
    _join(parents, _equal(same))
    once, where = np.unique(np.asarray(vectors), axis=0, return_inverse=True)
    _join(parents, _equal(enumerate(where.reshape(-1).tolist())))
    first = np.zeros(len(once), dtype=np.int64)
    first[where.reshape(-1)[::-1]] = np.arange(len(vectors))[::-1]
    _join(parents, ((int(first[one]), int(first[other])) for one, other in _near(once, threshold)))
    roots = [_root(parents, row) for row in range(len(parents))]
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root, len(numbers)) for root in roots], dtype=np.int64)


def split_by_group(
    groups: NDArray[np.int64],
    labels: NDArray[np.int64] | None = None,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """Which part each picture goes to, uint8 (n,): the position of its share, so TRAIN, VALIDATION or TEST.

    Groups are drawn at random; each goes where most is missing. With `labels` (n,), -1 for none, every label is shared
    out like that, by the label that most of a group have: where a label has too few groups, the first parts have it.
    Where many such labels would leave a part short (see ENOUGH), what one of them leaves missing is made good by the
    next, so that the parts have their shares of all of them together. Any number of shares will do. Raises ValueError
    for shares that are negative or do not make 1.
    """
    wanted = np.asarray(shares, dtype=np.float64)
    if (wanted < 0).any() or abs(wanted.sum() - 1) > 1e-6:
        raise ValueError(f"the shares {tuple(shares)} do not make 1")
    names, of_picture, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    of_picture = of_picture.reshape(-1)
    kinds = np.zeros(len(names), dtype=np.int64) if labels is None else _majorities(of_picture, labels)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]  # the largest first: the small ones fill up
    of_each = [order[kinds[order] == kind] for kind in dict.fromkeys(kinds[order].tolist())]
    parts = _all_shared_out(of_each, sizes, wanted, carry=False)
    if (np.bincount(parts, sizes, len(wanted)) < ENOUGH * wanted * sizes.sum()).any():
        parts = _all_shared_out(of_each, sizes, wanted, carry=True)
    return parts[of_picture]


def _all_shared_out(
    of_each: Sequence[NDArray[np.int64]], sizes: NDArray[np.int64], wanted: NDArray[np.float64], *, carry: bool
) -> NDArray[np.uint8]:
    """The part of each group; `of_each`: the groups of each label. `carry`: see `split_by_group`."""
    parts = np.zeros(len(sizes), dtype=np.uint8)
    missing = nothing = np.zeros(len(wanted))
    for groups in of_each:
        parts[groups], _ = _shared_out(sizes[groups], wanted, nothing)
        if carry and (np.bincount(parts[groups], minlength=len(wanted))[wanted > 0] == 0).any():
            parts[groups], missing = _shared_out(sizes[groups], wanted, missing)
    return parts


def _shared_out(
    sizes: NDArray[np.int64], wanted: NDArray[np.float64], missing: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The part of each of these groups, when parts already miss `missing` pictures; and what they miss afterwards."""
    room = missing + wanted * sizes.sum()
    parts = np.zeros(len(sizes), dtype=np.int64)
    for at, size in enumerate(sizes.tolist()):
        parts[at] = room.argmax()
        room[parts[at]] -= size
    return parts, room


def _majorities(of_picture: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The label that most pictures of each group have, the lower one of equals."""
    pairs, counts = np.unique(np.stack([of_picture, labels]), axis=1, return_counts=True)
    best = np.lexsort((pairs[1], -counts, pairs[0]))
    _, first = np.unique(pairs[0][best], return_index=True)
    found: NDArray[np.int64] = pairs[1][best][first]
    return found


def _equal(pairs: Iterable[tuple[int, Hashable]]) -> Iterator[tuple[int, int]]:
    """Each row with the first one of the same value."""
    first: dict[Hashable, int] = {}
    for row, value in pairs:
        if (before := first.setdefault(value, row)) != row:
            yield before, row


def _near(vectors: Vectors | HalfVectors, threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs of rows, the lower first, whose cosine is at least `threshold`."""
    rows = np.asarray(vectors, dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        cosines = rows[start : start + _BLOCK] @ rows[start:].T
        ones, others = np.nonzero(np.triu(cosines >= threshold, 1))
        yield from zip((ones + start).tolist(), (others + start).tolist(), strict=True)


def _join(parents: list[int], pairs: Iterable[tuple[int, int]]) -> None:
    """Make one group of the groups of each pair; its root is its lowest row."""
    for one, other in pairs:
        low, high = sorted((_root(parents, one), _root(parents, other)))
        parents[high] = low


def _root(parents: list[int], row: int) -> int:
    while parents[row] != row:
        parents[row] = row = parents[parents[row]]  # halving the way for those who ask next
    return row
