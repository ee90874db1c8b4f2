"""Types of options that take a number: whoever gives something else is told which numbers are taken."""

from __future__ import annotations

from contextlib import suppress
from math import isfinite
from typing import Any

import click


def whole_number(least: int, most: int | None = None) -> click.IntRange:
    """Takes a whole number from `least` to `most`."""
    return _WholeNumber(least, most)


def any_number(least: float | None = None, most: float | None = None, *, above: bool = False) -> click.FloatRange:
    """Takes any finite number from `least` to `most`. `above`: `least` itself is too little."""
    return _Number(least, most, min_open=above)


class _WholeNumber(click.IntRange):
    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value} is not {_wanted('a whole number', self)}", param, ctx)


class _Number(click.FloatRange):
    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        with suppress(click.BadParameter):
            number: float = super().convert(value, param, ctx)
            if isfinite(number):  # what is no number is in every range
                return number
        return self.fail(f"{value} is not {_wanted('a number', self)}", param, ctx)


def _wanted(what: str, limits: click.IntRange | click.FloatRange) -> str:
    if limits.min is None:
        return what
    if limits.min_open:
        return f"{what} above {limits.min}" + ("" if limits.max is None else f", at most {limits.max}")
    return f"{what} from {limits.min} " + ("on" if limits.max is None else f"to {limits.max}")
