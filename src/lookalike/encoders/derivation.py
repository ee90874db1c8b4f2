"""Vectors of one encoder from those of another, where they can be had without looking at a picture again.

That is so for an encoder and itself, its first components, what is derived from it, and an ensemble all of whose parts
can be had so. An ensemble's vectors hold those of its parts, each in a block of its own: so a part can be had from
them, and the same parts with other weights. Several looks at a picture (`views`) cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lookalike.core.arrays import unit_vectors
from lookalike.encoders.derived import Derived
from lookalike.encoders.ensemble import Ensemble
from lookalike.encoders.identity import same_vectors
from lookalike.encoders.narrowed import Narrowed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.core.arrays import HalfVectors, Vectors
    from lookalike.core.protocols import Encoder

    Derivation: TypeAlias = Callable[[HalfVectors | Vectors], Vectors]
    """From vectors of pictures (n, d_in), as they are stored, to those of another encoder, (n, d_out)."""


def derivation(encoder: Encoder, known_id: str, known: Encoder | None = None) -> Derivation | None:
    """How `encoder`'s vectors of pictures follow from those of the encoder `known_id`; None where they do not.

    `known`: that encoder itself where it is at hand, to see what it is made of. What is returned raises EncoderBroken
    where nothing is left of a vector.
    """
    return _derived(encoder, [(known_id, unit_vectors), *_parts(known)])


def _parts(known: Encoder | None) -> list[tuple[str, Derivation]]:
    """Ids of the encoders whose vectors stand in those of an ensemble, each with how they are read there."""
    if not isinstance(known, Ensemble):
        return []
    found: list[tuple[str, Derivation]] = []
    for (part, _), columns in zip(known.parts, known.blocks, strict=True):
        own = _block(columns)
        found.append((part.id, own))
        found += [(inner_id, _chained(own, inner)) for inner_id, inner in _parts(part)]
    return found


def _derived(encoder: Encoder, at_hand: Sequence[tuple[str, Derivation]]) -> Derivation | None:
    for known_id, how in at_hand:
        if same_vectors(encoder.id, known_id):
            return how
    if isinstance(encoder, Derived | Narrowed):
        first = _derived(encoder.base, at_hand)
        second = encoder.derive if isinstance(encoder, Derived) else encoder.narrow
        return None if first is None else _chained(first, second)
    if isinstance(encoder, Ensemble):
        parts = [_derived(part, at_hand) for part, _ in encoder.parts]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            return lambda rows: encoder.join([part(rows) for part in known])
    return None


def _block(columns: slice) -> Derivation:
    return lambda rows: unit_vectors(rows[:, columns])


def _chained(first: Derivation, second: Derivation) -> Derivation:
    return lambda rows: second(first(rows))
