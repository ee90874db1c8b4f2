"""Found pictures are gathered under their rank, and no file is ever overwritten or lost."""

from __future__ import annotations

import pytest

from lookalike.cli.gather import gather
from lookalike.core.records import Hit


def hits(*paths):
    return [Hit(rank, 0.5, None, str(rank), str(path), 1, 1) for rank, path in enumerate(paths, start=1)]


@pytest.fixture
def found(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"first")
    (tmp_path / "b.jpg").write_bytes(b"second")
    return hits(tmp_path / "a.jpg", tmp_path / "b.jpg")


def test_copies_bear_their_rank(found, tmp_path, capsys):
    gather(found, str(tmp_path / "out"), link=False)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        "01-a.jpg": b"first",
        "02-b.jpg": b"second",
    }
    assert "2 pictures copied" in capsys.readouterr().err


def test_links_lead_to_the_pictures(found, tmp_path):
    gather(found, str(tmp_path / "out"), link=True)
    link = tmp_path / "out" / "01-a.jpg"
    assert link.is_symlink()
    assert link.read_bytes() == b"first"


def test_nothing_is_overwritten(found, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01-a.jpg").write_bytes(b"mine")
    gather(found, str(tmp_path / "out"), link=False)
    assert (tmp_path / "out" / "01-a.jpg").read_bytes() == b"mine"
    assert (tmp_path / "out" / "01-a-2.jpg").read_bytes() == b"first"


def test_a_missing_picture_is_named_and_the_others_come(tmp_path, found, capsys):
    gather([*hits(tmp_path / "gone.jpg"), *found], str(tmp_path / "out"), link=False)
    said = capsys.readouterr().err
    assert "gone.jpg is not there now" in said
    assert "2 pictures copied" in said
