"""How near pictures usually lie to a question in words: what to expect where the thing is there.

Pictures that show "people" lie farther from that word than a platypus from its name, because people look in so many
ways; a cut-off that does not know this hides every picture of people. What to expect is the mean cosine of the ten
nearest among photos of everyday life. Those photos are not shipped: a network with one hidden layer foretells
it from the question's vector, so that it holds for any words in any language. It is fitted for each built-in encoder by
`tools/bench/familiarity.py`; docs/benchmarks/cutoff.md says what it is worth. Nobody measured it for others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors

PARTS = ("inward", "inward_bias", "outward", "outward_bias")
"""What a network is made of, and is called in the file after its encoder's id and a slash."""


@dataclass(frozen=True, slots=True, eq=False)
class Familiarity:
    """`inward` (dim, hidden), `outward` (hidden,), with their biases; rectified in between."""

    inward: NDArray[np.float32]
    inward_bias: NDArray[np.float32]
    outward: NDArray[np.float32]
    outward_bias: NDArray[np.float32]

    def __call__(self, query: Vectors) -> float:
        """The cosine to expect between a question, float32 (dim,) of unit length, and pictures that answer it."""
        import numpy as np

        hidden = np.maximum(query @ self.inward + self.inward_bias, 0)
        return float(hidden @ self.outward + self.outward_bias[0])


def familiarity_of(encoder_id: str) -> Familiarity | None:
    """What was fitted for an encoder; None for one that nobody measured."""
    known = _known()
    if f"{encoder_id}/{PARTS[0]}" not in known:
        return None
    return Familiarity(*(known[f"{encoder_id}/{part}"] for part in PARTS))


@cache
def _known() -> dict[str, Any]:
    from importlib.resources import files

    import numpy as np

    with files("lookalike.engine").joinpath("familiarity.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        return {name: stored[name].astype(np.float32) for name in stored.files}
