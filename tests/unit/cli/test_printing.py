"""What is printed can be read by a person in any terminal, and by a program byte for byte."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest

from lookalike.cli import printing

WIDE = "/home/me/写真/二〇二四年の夏休み/海辺の犬.jpg"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.jpg", "plain name.jpg"),
        ("Крым 2019.jpg", "Крым 2019.jpg"),
        ("two\nlines.jpg", "two\\nlines.jpg"),
        ("\x1b[31mred.jpg", "\\x1b[31mred.jpg"),
        (os.fsdecode(b"caf\xe9.jpg"), "caf\\udce9.jpg"),
    ],
)
def test_a_name_cannot_command_the_terminal(text, shown):
    assert printing.printable(text) == shown


@pytest.mark.parametrize("path", ["/home/me/pictures/2019/summer/crimea/IMG_20190704_120000.jpg", WIDE])
@pytest.mark.parametrize("width", [12, 20, 33, 40])
def test_a_shortened_path_fits_and_keeps_its_end(path, width):
    short = printing.shortened(path, width)
    assert printing.display_width(short) <= width
    assert short.endswith(path[-4:])
    assert ("…" in short or "..." in short) == (short != path)


def test_a_path_below_home_begins_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert printing.shortened(str(tmp_path / "a.jpg"), 60) == os.path.join("~", "a.jpg")


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (250_000_000, "250 MB"), (3_400_000_000_000, "3.4 TB")],
)
def test_sizes_are_in_decimal_units(n_bytes, text):
    assert printing.size(n_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_read_like_a_person_says_them(seconds, text):
    assert printing.duration(seconds) == text


def test_counts_agree_with_their_noun():
    assert printing.count(1, "picture") == "1 picture"
    assert printing.count(12_345, "query", "queries") == "12,345 queries"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_survives_every_encoding_of_the_stream(monkeypatch, encoding):
    value = {"uri": "/снимки/" + os.fsdecode(b"caf\xe9 \xf0\x9f\x98\x80.jpg")}
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    printing.prepare_streams()
    printing.out_json(value)
    stream.flush()
    assert json.loads(stream.buffer.getvalue().decode(encoding)) == value


def test_paths_for_programs_are_the_very_bytes(capfdbinary):
    names = [b"/a/one.jpg", b"/a/caf\xe9\nof two lines.jpg"]
    printing.write_paths([os.fsdecode(name) for name in names], null=True)
    assert capfdbinary.readouterr().out == b"/a/one.jpg\0/a/caf\xe9\nof two lines.jpg\0"


def test_a_table_lines_up_whatever_the_script(capsys):
    printing.table([("海", "1", "x"), ("sea", "22", "y")], header=("name", "n", "last"))
    assert capsys.readouterr().out.splitlines() == ["name  n   last", "海    1   x", "sea   22  y"]
