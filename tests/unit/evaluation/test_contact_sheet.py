"""Contact sheets: what is seen on them, pixel by pixel where it matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.evaluation.contact_sheet import CELL, COLUMNS, contact_sheet
from lookalike.testing import draw_pictures


def sheet(rows, tmp_path):
    out = tmp_path / "sheet.png"
    contact_sheet(rows, out)
    with Image.open(out) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def share_of(pixels, colour):
    return (np.abs(pixels - np.array(colour)).sum(-1) < 30).mean()


def test_every_answer_is_drawn(tmp_path):
    """Red, orange, ... of the drawn pictures all show on the sheet."""
    pictures = draw_pictures(tmp_path / "pictures", 7)
    drawn = sheet([("colours", [(path, "0.5") for path in pictures])], tmp_path)
    for colour in ((215, 30, 30), (245, 140, 20), (30, 160, 50), (140, 40, 170)):
        assert share_of(drawn, colour) > 0.001


def test_answers_wrap_into_lines(tmp_path):
    (picture,) = draw_pictures(tmp_path / "pictures", 1)
    one_line = sheet([("x", [(picture, "1")] * COLUMNS)], tmp_path)
    two_lines = sheet([("x", [(picture, "1")] * (COLUMNS + 1))], tmp_path)
    assert one_line.shape[1] == two_lines.shape[1]
    assert two_lines.shape[0] - one_line.shape[0] > CELL[1]


def test_a_missing_or_broken_picture_is_a_grey_box_of_full_size(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    for path in (Path("/nowhere/gone.jpg"), tmp_path / "broken.jpg"):
        drawn = sheet([("x", [(path, "0.1")])], tmp_path)
        grey = np.abs(drawn - np.array((238, 240, 242))).sum(-1) == 0
        assert grey.sum() == CELL[0] * CELL[1]


def test_pictures_stand_upright(tmp_path):
    """A picture stored on its side (EXIF orientation 6: turn by 90 degrees) has its red top at the top."""
    upright = np.zeros((200, 300, 3), np.uint8)
    upright[:100] = (215, 30, 30)
    upright[100:] = (30, 70, 215)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(upright).copy()).save(tmp_path / "a.jpg", exif=exif, quality=95)
    drawn = sheet([("x", [(tmp_path / "a.jpg", "1")])], tmp_path)
    red, blue = (np.argwhere(np.abs(drawn - colour).sum(-1) < 40) for colour in ((215, 30, 30), (30, 70, 215)))
    assert red[:, 0].max() < blue[:, 0].max()
    assert red[:, 0].mean() < blue[:, 0].mean() - 80


@pytest.mark.parametrize("text", ["собака в снігу", "їжак і ґава", "łódź", "σκύλος", "“dog”… №"])
def test_letters_are_drawn_not_boxes(text, tmp_path):
    """Each letter of the title has a shape of its own: none is drawn like a letter the font does not have."""
    unknown = sheet([("\U0001f9ff", [])], tmp_path)
    for letter in set(text) - {" "}:
        assert (sheet([(letter, [])], tmp_path) != unknown).any()


def test_long_and_odd_words_stay_inside(tmp_path):
    """Long titles are cut; line breaks, undecodable bytes of a file name and emptiness do no harm."""
    (picture,) = draw_pictures(tmp_path / "pictures", 1)
    rows = [("word " * 200, [(picture, "caption " * 50)]), ("a\nb\udcff", [(str(picture), "\udc80")]), ("", [])]
    drawn = sheet(rows, tmp_path)
    assert (drawn[:, -20:] == 255).all()


def test_no_rows_give_an_empty_sheet(tmp_path):
    assert (sheet([], tmp_path) == 255).all()


def test_a_folder_that_is_not_there_is_an_oserror(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        contact_sheet([("x", [])], tmp_path / "nowhere" / "sheet.png")
