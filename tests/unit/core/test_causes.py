"""Why something failed is said without numbers and names of the system's own."""

from __future__ import annotations

import errno

import pytest

from lookalike.core.causes import cause_of


def test_of_an_error_of_the_system_only_its_words_are_said():
    assert cause_of(PermissionError(errno.EACCES, "Permission denied", "/a/b")) == "Permission denied"
    assert cause_of(OSError("the archive is torn")) == "the archive is torn"


def test_of_bytes_that_are_no_text_the_place_is_said():
    with pytest.raises(UnicodeDecodeError) as caught:
        b"caf\xe9".decode("utf-8")
    assert cause_of(caught.value) == "byte 4 is no text in UTF-8"


def test_an_error_without_words_is_called_by_its_name():
    assert cause_of(EOFError()) == "EOFError"
    assert cause_of(ValueError("no number")) == "no number"
