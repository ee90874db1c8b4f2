"""What a recipe gives back: an encoder ready to be written, and how it compares with the one it was made from.

A recipe is a function `recipe(materials, settings, told) -> Tuned`. `materials[0]` is the base's; what follows are
those of other encoders that the user named, of the same pictures in the same order and with the same split. `settings`
is the recipe's own frozen dataclass: its fields are what `--set NAME=VALUE` can say, its defaults are the recipe's.
`told` gets lines for the person who waits.

What is learned is learned on TRAIN, what is chosen (when to stop, how strongly) is chosen on VALIDATION, and TEST is
looked at once, for the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lookalike.evaluation.metrics import bootstrap_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.protocols import Encoder
    from lookalike.training.material import Material


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure on the test part: the mean over `queries` with the base and with what was tuned.

    `low`, `high`: the 95 % interval of the difference, by bootstrap over the same queries. `ceiling`: what a perfect
    order would reach, None where that is 1.
    """

    what: str
    name: str
    before: float
    after: float
    low: float
    high: float
    queries: int
    ceiling: float | None = None

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def compare(
    what: str,
    before: Mapping[str, NDArray[np.float64]],
    after: Mapping[str, NDArray[np.float64]],
    *,
    seed: int,
    ceilings: Mapping[str, float] | None = None,
) -> tuple[Compared, ...]:
    """A `Compared` for each metric, from the values of the same queries with both encoders."""
    found = []
    for name, values in before.items():
        low, high = bootstrap_interval(after[name] - values, seed)
        ceiling = (ceilings or {}).get(name)
        figures = float(values.mean()), float(after[name].mean()), low, high
        found.append(Compared(what, name, *figures, len(values), ceiling))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Tuned:
    """The outcome of a recipe.

    `write(folder, encoders)`: writes the encoder, made from `encoders`, those of the materials. `compared`: on the test
    part. `better`: whether it beats the base on the validation part; what does not is not written unless forced.
    `verdict`: that in a sentence. `sections`: of the report, beside the table of `compared`. `about`: JSON values, what
    was set and chosen.
    """

    recipe: str
    write: Callable[[Path, tuple[Encoder, ...]], None]
    compared: tuple[Compared, ...]
    better: bool
    verdict: str
    sections: tuple[Any, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)


class Recipe(Protocol):
    """See the head of the module. Raises SourceError where the material lacks what it learns from."""

    def __call__(self, materials: tuple[Material, ...], settings: Any, told: Callable[[str], None], /) -> Tuned: ...
