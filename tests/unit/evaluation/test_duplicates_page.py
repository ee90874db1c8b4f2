"""A page to review duplicates appears whole; journeys look at it in a browser."""

from __future__ import annotations

import pytest

from lookalike.evaluation.duplicates_page import duplicates_page


def test_an_older_page_stays_until_the_new_one_is_made(tmp_path):
    page = tmp_path / "review.html"
    page.write_text("older", encoding="utf-8")

    def cut_short():
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        duplicates_page(cut_short(), page)
    assert page.read_text("utf-8") == "older"
    assert duplicates_page([], page) == (0, 0)
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["review.html"]
