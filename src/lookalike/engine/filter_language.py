"""The language of filters: text becomes a condition, and a condition text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind


def parse(text: str, fields: Mapping[str, FieldKind]) -> Condition:
    """The condition that `text` says. Raises FilterError."""
    raise ValueError(f"not understood: {text} {len(fields)}")


def unparse(condition: Condition) -> str:
    """A text that `parse` makes `condition` of."""
    return str(condition)
