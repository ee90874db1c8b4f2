"""Sketches of pictures: about a kilobyte each, by which nearly all pairs of different pictures are told apart.

A sketch is what a picture looks like at 32 pixels. Two of them give guesses at how the pictures may lie on each other:
as a whole in any of the eight turns (`squares`), as a whole without plain borders, or the one as a part of the other
(`parts`), as far as the sketches agree there (`overlays`). Whoever has the pictures at hand tries these (`alignment`);
pairs without a guess need no further look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lookalike.images.overlays import overlaid
from lookalike.images.parts import tried_parts
from lookalike.images.planes import WHOLE_BOX, content_of, cut, resized
from lookalike.images.squares import best_turns, turned_squares

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.images.overlays import Overlays
    from lookalike.images.parts import TriedParts

    Numbers = NDArray[np.int64]
    _Turns: TypeAlias = tuple[NDArray[np.float32], Numbers]

Within: TypeAlias = Literal["whole", "content", "second", "first"]
"""How two pictures lie on each other: from edge to edge, so without plain borders, the second as a part of the (turned)
first, or the first, turned, as a part of the second."""

SIDE = 32
_GREYS = 64
"""`fingerprint.SIDE`."""
_THINNEST = 4
"""Least width and height of a picture whose longer side is `SIDE`."""
_WHOLE_GUESS = 0.40
"""Correlation of two squares above which they are tried; copies and edited pictures reach 0.6 and more."""
_CORRELATION, _AGREEING = (0.75, 0.65), (0.70, 0.60)
"""Least correlation, and share of blocks that agree, of sketches laid over each other: where one is turned, which only
an edit is, and where none is: two shots of one scene agree less well. Of 26,000 pairs of one photo with a guess one in
1,000 is below, of 16,000 pairs of different ones six in seven."""
_LEAST_SCALE = 0.48
"""Of a part: what shrank below that is mostly another shot from nearer."""
_AT_ONCE = 2_048
"""Pairs compared together: 60 MB."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A way in which two pictures may lie on each other: `turn` of the first (`core.turns`), `scale` of a part."""

    score: float
    within: Within
    turn: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class _Sketches:
    """Unpacked. `wholes`, `contents`: pictures, and what lies within plain borders, uint8 (n, SIDE, SIDE).

    `bordered`: bool (n,), where these are two. `shapes`: int64 (n, 2), height and width of the contents at `SIDE`.
    """

    wholes: NDArray[np.uint8]
    contents: NDArray[np.uint8]
    bordered: NDArray[np.bool_]
    shapes: Numbers


def sketch_of_greys(greys: bytes, width: int, height: int) -> bytes:
    """The sketch of a picture of that width and height, as it is kept; `greys` is what `fingerprint.greys` gave.

    Width and height of the content at `SIDE`, a byte each; the whole, SIDE x SIDE levels; those of the content within
    plain borders where there are any.
    """
    import numpy as np

    grey = np.frombuffer(greys, np.uint8, _GREYS * _GREYS).reshape(_GREYS, _GREYS)
    box = content_of(grey)
    wide, high = width * (box[2] - box[0]), height * (box[3] - box[1])
    shape = bytes(max(_THINNEST, round(SIDE * each / max(wide, high))) for each in (wide, high))
    return shape + _small(grey) + (b"" if box == WHOLE_BOX else _small(cut(grey, box)))


def guesses_of(sketches: Sequence[bytes], first: Numbers, second: Numbers) -> list[list[Guess]]:
    """The ways worth trying to lay pictures over each other, pair by pair, in the order in which to try them.

    `first`, `second`: places among the sketches, (m,). Whole pictures come first, then the best part.
    """
    import numpy as np

    guesses: list[list[Guess]] = []
    for start in range(0, len(first), _AT_ONCE):
        pairs = first[start : start + _AT_ONCE], second[start : start + _AT_ONCE]
        needed, place = np.unique(np.concatenate(pairs), return_inverse=True)
        guesses += _guesses(_unpacked([sketches[each] for each in needed]), *np.split(place, 2))
    return guesses


def _guesses(sketches: _Sketches, first: Numbers, second: Numbers) -> list[list[Guess]]:
    guesses: list[list[Guess]] = [[] for _ in first]
    whole = best_turns(sketches.wholes, first, second)
    content = _without_borders(sketches, first, second, whole)
    _add_wholes(guesses, "whole", sketches.wholes, (first, second), whole)
    _add_wholes(guesses, "content", sketches.contents, (first, second), content)
    _add_parts(guesses, tried_parts(sketches.contents, sketches.shapes, first, second))
    return guesses


def _add_wholes(
    guesses: list[list[Guess]], within: Within, squares: NDArray[np.uint8], pairs: tuple[Numbers, Numbers], best: _Turns
) -> None:
    """Those that agree from edge to edge, or nearly so."""
    import numpy as np

    rows = (best[0] >= _WHOLE_GUESS).nonzero()[0]
    first, second, turn = pairs[0][rows], pairs[1][rows], best[1][rows]
    from_edge_to_edge = np.tile(np.array(WHOLE_BOX, np.float32), (len(rows), 1))
    laid = overlaid(turned_squares(squares[first], turn), squares[second], from_edge_to_edge)
    for place in _agrees(laid, turn != 0).nonzero()[0].tolist():
        guesses[rows[place]].append(Guess(float(laid.correlation[place]), within, int(turn[place])))


def _add_parts(guesses: list[list[Guess]], parts: TriedParts) -> None:
    """The best way of each pair that agrees."""
    best: dict[int, Guess] = {}
    stands = _agrees(parts.laid, parts.mirrored) & (parts.scale >= _LEAST_SCALE)
    for way in stands.nonzero()[0].tolist():
        pair, score = int(parts.pair[way]), float(parts.laid.correlation[way])
        if pair not in best or score > best[pair].score:
            within: Within = "second" if parts.of_first[way] else "first"
            best[pair] = Guess(score, within, int(parts.mirrored[way]), float(parts.scale[way]))
    for pair, guess in best.items():
        guesses[pair].append(guess)


def _agrees(laid: Overlays, is_turned: NDArray[np.bool_]) -> NDArray[np.bool_]:
    import numpy as np

    correlation, agreeing = (np.where(is_turned, *least) for least in (_CORRELATION, _AGREEING))
    return (laid.correlation >= correlation) & (laid.agreeing >= agreeing)


def _without_borders(sketches: _Sketches, first: Numbers, second: Numbers, whole: _Turns) -> _Turns:
    """As the whole pictures where neither has a border."""
    score, turn = whole[0].copy(), whole[1].copy()
    other = (sketches.bordered[first] | sketches.bordered[second]).nonzero()[0]
    score[other], turn[other] = best_turns(sketches.contents, first[other], second[other])
    return score, turn


def _unpacked(sketches: Sequence[bytes]) -> _Sketches:
    import numpy as np

    levels = SIDE * SIDE
    wholes = np.frombuffer(b"".join(each[2 : 2 + levels] for each in sketches), np.uint8)
    contents = np.frombuffer(b"".join(each[-levels:] for each in sketches), np.uint8)
    shapes = np.frombuffer(b"".join(each[:2] for each in sketches), np.uint8).reshape(-1, 2)[:, ::-1]
    bordered = np.array([len(each) > 2 + levels for each in sketches])
    square = (-1, SIDE, SIDE)
    return _Sketches(wholes.reshape(square), contents.reshape(square), bordered, shapes.astype(np.int64))


def _small(grey: NDArray[np.uint8]) -> bytes:
    import numpy as np

    return np.rint(resized(grey, (SIDE, SIDE))).astype(np.uint8).tobytes()
