"""Vectors of one encoder from those of another, where they can be had without looking at a picture again.

That is so for an encoder and itself, its first components, what is derived from it, and an ensemble all of whose parts
can be had so. Several looks at a picture (`views`) cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lookalike.core.arrays import unit_vectors
from lookalike.encoders.derived import Derived
from lookalike.encoders.ensemble import Ensemble
from lookalike.encoders.identity import same_vectors
from lookalike.encoders.narrowed import Narrowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.core.arrays import HalfVectors, Vectors
    from lookalike.core.protocols import Encoder

    Derivation: TypeAlias = Callable[[HalfVectors | Vectors], Vectors]
    """From vectors of pictures (n, d_in), as they are stored, to those of another encoder, (n, d_out)."""


def derivation(encoder: Encoder, known_id: str) -> Derivation | None:
    """How `encoder`'s vectors of pictures follow from those of the encoder `known_id`; None where they do not.

    What is returned raises EncoderBroken where nothing is left of a vector.
    """
    if same_vectors(encoder.id, known_id):
        return unit_vectors
    if isinstance(encoder, Derived):
        return _then(derivation(encoder.base, known_id), encoder.derive)
    if isinstance(encoder, Narrowed):
        return _then(derivation(encoder.base, known_id), encoder.narrow)
    if isinstance(encoder, Ensemble):
        parts = [derivation(part, known_id) for part, _ in encoder.parts]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            return lambda rows: encoder.join([part(rows) for part in known])
    return None


def _then(first: Derivation | None, second: Derivation) -> Derivation | None:
    return None if first is None else lambda rows: second(first(rows))
