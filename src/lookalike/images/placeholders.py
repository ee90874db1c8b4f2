"""Pictures that show no product: blank ones, and the placeholder that a shop shows until a photo is there.

A picture is *blank* when nearly all of it is one colour. It is a *placeholder* when the very same picture is shown for
products that have little in common: sizes and colours of one shirt share their photo rightly, a shirt and a lamp do
not. What looks like a placeholder that was found so (another size, another JPEG quality) is one too.

Promises: pictures can come one after another, in any order and on different days: of each, `impression` keeps
`IMPRESSION_BYTES`, and `find_placeholders` needs no more. Leaves to others: what is done about them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from lookalike.core.arrays import Pixels

OWN, BLANK, PLACEHOLDER = 0, 1, 2
REASONS = {
    BLANK: "a blank picture: all of it is one colour",
    PLACEHOLDER: "a placeholder: the same picture stands for products that have little in common",
}
"""For a person."""

LEAST_TEXTS = 5
"""Products, told apart by their texts, that one picture has to stand for."""
_BLANK_SHARE = 0.995  # of the picture; what is left is a square of 7 % of its side: less than anything to look at
_BLANK_LEVELS = 12  # of 255, from the middle colour: noise of JPEG and of a scanner
_ALIKE_LEVELS = 8  # of 255, in every cell of the small picture: what another size or quality changes
_RELATED = 0.5  # share of a text's words that most of the others have too: then they are one product's variants
_LOOKED_AT = 64  # pixels on a side of the picture that is looked at for one colour
_SIDE = 16
_DIGEST = 16
IMPRESSION_BYTES = 1 + _DIGEST + _SIDE * _SIDE * 3
_WORD = re.compile(r"\w+")


def impression(pixels: Pixels) -> NDArray[np.uint8]:
    """What has to be remembered of a picture: uint8 (IMPRESSION_BYTES,)."""
    import numpy as np
    from PIL import Image

    digest = hashlib.blake2b(repr(pixels.shape).encode() + pixels.tobytes(), digest_size=_DIGEST).digest()
    reduced = Image.fromarray(pixels).resize((_LOOKED_AT, _LOOKED_AT), Image.Resampling.BOX)
    small = reduced.resize((_SIDE, _SIDE), Image.Resampling.BOX).tobytes()
    return np.frombuffer(bytes([_of_one_colour(reduced)]) + digest + small, np.uint8)


def _of_one_colour(reduced: Image) -> bool:
    import numpy as np

    cells = np.asarray(reduced).reshape(-1, 3)
    near = (np.abs(cells - np.median(cells, axis=0)) <= _BLANK_LEVELS).all(axis=1)
    return bool(near.mean() >= _BLANK_SHARE)


def find_placeholders(impressions: NDArray[np.uint8], texts: Sequence[str]) -> NDArray[np.uint8]:
    """OWN, BLANK or PLACEHOLDER for each picture: uint8 (n,).

    `impressions`: (n, IMPRESSION_BYTES). `texts`: what is said about each picture, such as the title of its product;
    the label where there is no more. Raises ValueError when they are not as many.
    """
    import numpy as np

    if impressions.shape != (len(texts), IMPRESSION_BYTES):
        raise ValueError(f"{impressions.shape} impressions for {len(texts)} texts")
    found = np.where(impressions[:, 0] > 0, BLANK, OWN).astype(np.uint8)
    same: dict[bytes, list[int]] = defaultdict(list)
    for row, digest in enumerate(impressions[:, 1 : 1 + _DIGEST]):
        same[digest.tobytes()].append(row)
    small = impressions[:, 1 + _DIGEST :]
    for rows in same.values():
        if found[rows[0]] != OWN or not _unrelated([texts[row] for row in rows]):
            continue
        pattern = small[rows[0]].astype(np.int16)
        alike = (np.abs(small - pattern) <= _ALIKE_LEVELS).all(axis=1)
        found[alike & (found == OWN)] = PLACEHOLDER
    return found


def _unrelated(texts: Sequence[str]) -> bool:
    """Whether texts are of products that have little in common."""
    of_each = {frozenset(_WORD.findall(text.casefold())) for text in texts}
    if len(of_each) < LEAST_TEXTS:
        return False
    often = Counter(word for words in of_each for word in words)
    common = {word for word, count in often.items() if count > len(of_each) / 2}
    shared = sorted(len(words & common) / max(len(words), 1) for words in of_each)
    return shared[len(shared) // 2] < _RELATED
