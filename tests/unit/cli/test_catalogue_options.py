"""Catalogues on the command line: what is asked, what is told."""

from __future__ import annotations

import csv
import tarfile

import pytest


@pytest.fixture
def shop(drawn, tmp_path, colour_encoder, monkeypatch):
    """A catalogue of three products, and a collection of its own for the commands."""
    monkeypatch.setenv("LOOKALIKE_COLLECTION", str(tmp_path / "shop.lookalike"))
    files = sorted(drawn.iterdir())[:3]
    with (tmp_path / "shop.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, delimiter=";")
        table.writerow(["nr", "foto", "Preis (EUR)", "Name"])
        table.writerows([f"00{n}", file, "12,50 EUR", f"Hemd {n}"] for n, file in enumerate(files))
        table.writerow(["9", "none.jpg", "gratis", "Hose"])
    return tmp_path, ["--encoder", colour_encoder, "--id-column", "nr", "--image-column", "foto"]


def test_a_catalogue_is_taken_in_and_told_in_a_table_of_80_columns(shop, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    folder, options = shop
    done = call("index", folder / "shop.csv", *options, "--type", "preis eur=float", "--text-columns", "Name")
    assert done.code == 0
    assert "3 added, 1 skipped" in done.out
    assert "shop.csv: 4 rows (CSV, utf-8, parted by semicolons)" in done.err
    lines = {line.split()[0]: line for line in done.err.splitlines() if line.startswith("  ")}
    assert lines["preis_eur"].split()[1:4] == ["float", "4", "1"]
    assert "1 unread" in lines["preis_eur"]
    assert lines["nr"].split()[1:3] == ["text", "id"]
    assert lines["name"].split()[1:3] == ["text", "words"]
    assert max(map(len, lines.values())) <= 80
    assert "row 5 (id 9): its picture is not there" in done.err


def test_the_options_hold_for_later_runs_without_them(shop, call):
    folder, options = shop
    call("index", folder / "shop.csv", *options)
    report = call("index", "--json").json
    assert (report["added"], report["changed"], report["removed"]) == (0, 0, 0)
    (told,) = report["catalogues"]
    assert (told["rows"], told["delimiter"]) == (4, ";")
    assert [column["role"] for column in told["columns"]] == ["id", "picture", "", "words"]


@pytest.mark.parametrize("said", ["price", "price=money", "=int"])
def test_a_type_that_is_none_is_a_usage_error(shop, call, said):
    folder, options = shop
    done = call("index", folder / "shop.csv", *options, "--type", said)
    assert done.code == 2
    assert "NAME=KIND" in done.err


def test_a_column_that_is_not_there_names_those_that_are(shop, call):
    folder, options = shop
    done = call("index", folder / "shop.csv", *options, "--title-column", "titel")
    assert done.code == 1
    assert "no column titel" in done.err
    assert "nr, foto, Preis (EUR), Name" in done.err


def test_a_catalogue_that_is_not_there_makes_no_collection(shop, call):
    folder, options = shop
    done = call("index", folder / "none.csv", *options)
    assert done.code == 1
    assert not (folder / "shop.lookalike").exists()


def test_pictures_of_archives_are_copied_out_of_them_and_cannot_be_linked(shop, drawn, call):
    folder, options = shop
    picture = min(drawn.iterdir())
    with tarfile.open(folder / "0.tar", "w") as archive:
        archive.add(picture, picture.name)
    call("index", folder / "0.tar", *options[:2])
    call("search", "red", "-k", "1", "--copy-to", folder / "copies")
    (copy,) = (folder / "copies").iterdir()
    assert copy.read_bytes() == picture.read_bytes()
    done = call("search", "red", "-k", "1", "--link-to", folder / "links")
    assert "cannot be linked" in done.err
    assert not list((folder / "links").iterdir())
