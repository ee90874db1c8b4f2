from __future__ import annotations

import inspect
import pickle
import re

import pytest

import lookalike
from lookalike.core import errors
from lookalike.core.errors import (
    CannotDecode,
    CollectionBusy,
    FilterError,
    IndexUnusable,
    LookalikeError,
    MissingExtra,
    ServiceError,
)

CLASSES = {name: each for name, each in vars(errors).items() if inspect.isclass(each)}


def drawn() -> dict[str, str]:
    """Each class in the picture that the module opens with, and the class it hangs from."""
    above: list[str] = []
    parents = {}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ((?:│   |    )*)(├── |└── )?([A-Z]\w+)", line):
            depth = len(found[1]) // 4 + bool(found[2])
            above[depth:] = [found[3]]
            parents[found[3]] = above[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    assert drawn() == {name: each.__base__.__name__ for name, each in CLASSES.items()}


def test_an_error_carries_its_message_and_the_next_step():
    error = LookalikeError("what happened", hint="what to do")
    assert (str(error), error.hint, LookalikeError("x").hint) == ("what happened", "what to do", "")


def test_errors_carry_the_facts_a_program_needs():
    assert CannotDecode("empty", "the file is empty").code == "empty"
    assert CollectionBusy("busy", pid=7).pid == 7
    missing = MissingExtra("camera RAW", "raw")
    assert (missing.extra, missing.hint) == ("raw", 'pip install "lookalike[raw]"')


@pytest.mark.parametrize("name", [name for name in lookalike.__all__ if name in CLASSES])
def test_public_errors_are_those_of_the_tree(name):
    assert getattr(lookalike, name) is CLASSES[name]


@pytest.mark.parametrize(
    "error",
    [
        LookalikeError("m", hint="h"),
        CannotDecode("empty", "m", hint="h"),
        CollectionBusy("m", pid=7, hint="h"),
        FilterError("m", position=3, hint="h"),
        IndexUnusable("missing", "m", hint="h"),
        MissingExtra("camera RAW", "raw"),
        ServiceError("m", status=404, code="no-item", hint="h"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_another_process_comes_as_it_was_raised(error):
    again = pickle.loads(pickle.dumps(error))
    said = [str(each) for each in again.said]
    assert (type(again), str(again), said) == (type(error), str(error), [str(error), error.hint])
    facts = {name: value for name, value in vars(error).items() if name != "said"}
    assert {name: vars(again)[name] for name in facts} == facts
