"""Whoever gives an option another number than it takes is told which it takes."""

from __future__ import annotations

import click
import pytest

from lookalike.cli.numbers import any_number, whole_number


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (whole_number(1), "abc", "abc is not a whole number from 1 on"),
        (whole_number(1), "0", "0 is not a whole number from 1 on"),
        (whole_number(32, 1024), "2000", "2000 is not a whole number from 32 to 1024"),
        (any_number(0, 1), "2", "2 is not a number from 0 to 1"),
        (any_number(0, 1), "nan", "nan is not a number from 0 to 1"),
        (any_number(0, above=True), "inf", "inf is not a number above 0"),
        (any_number(0, 1, above=True), "0", "0 is not a number above 0, at most 1"),
        (any_number(), "much", "much is not a number"),
    ],
)
def test_what_is_not_taken_is_answered_with_what_is(kind, given, said):
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(given, None, None)
    assert caught.value.message == said


def test_numbers_within_the_limits_are_taken():
    assert whole_number(1).convert("3", None, None) == 3
    assert any_number(0, 1).convert("0.5", None, None) == 0.5
    assert any_number().convert("-2", None, None) == -2.0
