"""What a recipe gives back: an encoder ready to be written, and how it compares with the one it was made from.

A recipe is a function `recipe(materials, settings, told) -> Tuned`. `materials[0]` is the base's; what follows are
those of other encoders that the user named, of the same pictures in the same order and with the same split. `settings`
is the recipe's own frozen dataclass: its fields are what `--set NAME=VALUE` can say, its defaults are the recipe's.
`told` gets lines for the person who waits.

What is learned is learned on TRAIN, what is chosen (when to stop, how strongly) is chosen on VALIDATION, and TEST is
looked at once: for the figures, and for whether what VALIDATION chose is better there too. VALIDATION alone cannot say
that: the best of many tries is better on what chose it by luck, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lookalike.core.protocols import Encoder
    from lookalike.evaluation.comparison import Difference
    from lookalike.evaluation.measured import Measured
    from lookalike.evaluation.report import Section
    from lookalike.training.material import Material


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same questions of the test part, answered by the base and by what was tuned.

    `what`: the kind of question. `note`: what else a reader has to know of them.
    """

    what: str
    before: Measured
    after: Measured
    seed: int = 0
    note: str = ""

    def differences(self) -> dict[str, Difference]:
        """How much better `after` is, figure by figure, with intervals."""
        return self.after.against(self.before, self.seed)


def judged(metric: str, what: str, validated: Difference | None, tested: Sequence[Comparison]) -> tuple[bool, str]:
    """Whether a gain of `metric` at questions of the kind `what` is no luck, and in words what it is.

    `validated`: the gain on VALIDATION; that on TEST is looked for among `tested`. A gain is no luck when both are
    sure; where one part has no such questions nobody knows.
    """
    on_test = next((each.differences().get(metric) for each in tested if each.what == what), None)
    gains = {"validation": validated, "test": on_test}
    parts = [
        f"nothing can be asked on {part}" if gain is None else f"{_said(gain)} on {part}"
        for part, gain in gains.items()
    ]
    sure = all(gain is not None and gain.sure and gain.mean > 0 for gain in gains.values())
    return sure, f"{metric} of {what} changed by {', '.join(parts)}"


def _said(gain: Difference) -> str:
    return f"{gain.mean:+.3f} (95 % between {gain.low:+.3f} and {gain.high:+.3f})"


@dataclass(frozen=True, slots=True)
class Tuned:
    """The outcome of a recipe.

    `write(folder, encoders)`: writes the encoder, made from `encoders`, those of the materials. `compared`: on the test
    part. `better`: whether it surely beats the base, see `judged`; what does not is not written unless forced.
    `verdict`: that in a sentence. `sections`: of the report, beside the table of `compared`. `curve`: a point for each
    round of learning, name -> value, "epoch" among them; empty where there are no rounds. `about`: JSON values, what
    was set and chosen.
    """

    recipe: str
    write: Callable[[Path, tuple[Encoder, ...]], None]
    compared: tuple[Comparison, ...]
    better: bool
    verdict: str
    sections: tuple[Section, ...] = ()
    curve: tuple[Mapping[str, float], ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)


class Recipe(Protocol):
    """See the head of the module. Raises SourceError where the material lacks what it learns from."""

    def __call__(self, materials: tuple[Material, ...], settings: Any, told: Callable[[str], None], /) -> Tuned: ...
