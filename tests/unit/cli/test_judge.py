"""`judge` as a person at a pipe and a program meet it; at a terminal: tests/journeys/test_judge_command.py."""

from __future__ import annotations

import csv
import io

import pytest

from lookalike.testing import draw_pictures

HEADER = ["id", "image", "title"]


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Three products, two questions; the folder is the working one."""
    draw_pictures(tmp_path / "img", 3)
    files = sorted((tmp_path / "img").iterdir())
    titles = ["red shirt", "blue shirt", "red bag"]
    with (tmp_path / "shop.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = [[f"p{n}", f"img/{file.name}", title] for n, (file, title) in enumerate(zip(files, titles, strict=True))]
        csv.writer(stream).writerows([HEADER, *rows])
    (tmp_path / "q.txt").write_text("# asked in May\nred shirt\n\nblue shirt\nred shirt\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def asked(call, colour_encoder, monkeypatch, shop):
    """Run `judge` on the shop, answering with these keys."""

    def run(keys, *arguments, queries=("--queries", "q.txt", "--catalogue", "shop.csv", "--above", "-1")):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{key}\n" for key in keys)))
        encoder = ("--sentence-encoder", str(colour_encoder)) if queries else ()
        return call("judge", *queries, *encoder, "--judge", "anna", *arguments)

    return run


def judged(path="judgements.csv"):
    with open(path, newline="", encoding="utf-8") as stream:
        return [
            (row["query"], row["text"], row["grade"], row["source"], row["judge"]) for row in csv.DictReader(stream)
        ]


def test_answers_are_kept_and_the_same_command_goes_on(asked, shop):
    first = asked("yn", "--json")
    assert (first.code, first.json["right"], first.json["wrong"], first.json["left"]) == (0, 1, 1, 4)
    assert [(each[0], each[2:]) for each in judged()] == [
        ("red shirt", ("1", "person", "anna")),
        ("red shirt", ("0", "person", "anna")),
    ]
    again = asked("nnny", "--json")
    assert (again.json["proposed"], again.json["left"], again.json["pairs"]) == (6, 0, 6)
    assert again.json["questions"] == 2


def test_undo_skip_on_and_unknown_keys(asked, shop):
    said = asked("yuxnsoq")
    assert "Of 6 proposals: 1 wrong; 5 are open" in said.out
    assert [each[2] for each in judged()] == ["0"]
    assert "undo" in said.err
    assert "?" in said.err
    assert "nothing to undo" in asked("uq").err


def test_what_is_taken_unseen_is_marked_and_a_person_is_asked_about_it_later(asked, shop):
    taken = asked("", "--yes-above", "0.9")
    assert "taken unseen" in taken.out
    assert {each[3:] for each in judged()} == {("proposal", "")}
    unseen = len(judged())
    later = asked("y" * 6, "--json")
    assert later.json["right"] == 6
    assert {each[3:] for each in judged()} == {("person", "anna")}
    assert unseen < len(judged())


def test_a_second_opinion_is_asked_without_the_first_and_kappa_is_told(asked, shop):
    asked("ynynyn")
    second = asked("ynyyyn", "--second", "judgements.csv", "--out", "second.csv", queries=())
    assert second.code == 0
    assert "Of 6 pairs judged twice, 83 % were judged alike (kappa 0.67)." in second.out
    assert "img" in second.err
    refused = asked("y", "--second", "judgements.csv", queries=())
    assert refused.code == 2
    assert "a file of its own" in refused.err


def test_bands_of_likeness_say_what_was_confirmed(asked, shop):
    table = asked("ynnynn").out
    assert "likeness" in table
    assert "confirmed" in table
    bands = asked("", "--json").json["bands"]
    assert sum(band["judged"] for band in bands) == 6
    assert sum(band["confirmed"] for band in bands) == 2


def test_evaluate_reads_what_judge_wrote(asked, call, colour_encoder, shop):
    asked("ynynyn")
    outcome = call("evaluate", "judgements.csv", "--encoder", colour_encoder, "--json")
    assert outcome.code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        ((), 2, "say what to ask about"),
        (("--queries", "none.txt", "--catalogue", "shop.csv"), 1, "none.txt cannot be read: No such file"),
        (("--queries", "empty.txt", "--catalogue", "shop.csv"), 1, "holds no questions"),
        (("--queries", "q.txt", "--catalogue", "none.csv"), 1, "none.csv"),
        (("--queries", "q.txt", "--collection", "none"), 1, "there is no collection"),
        (("--queries", "q.txt", "--catalogue", "shop.csv", "--collection", "x"), 2, "either --catalogue or"),
        (("--queries", "q.txt", "--catalogue", "shop.csv", "--template", "{brand}"), 1, "has a text"),
        (("--queries", "q.txt", "--catalogue", "shop.csv", "--out", "shop.csv"), 1, "not written by lookalike judge"),
        (("--second", "none.csv", "--out", "x.csv"), 1, "none.csv cannot be read"),
        (("--second", "x.csv", "--queries", "q.txt"), 2, "--second asks what was judged before"),
    ],
)
def test_mistakes_say_what_to_do(call, shop, arguments, code, why):
    (shop / "empty.txt").write_text("# nothing\n", encoding="utf-8")
    said = call("judge", *arguments)
    assert said.code == code
    assert why in said.err
    assert len(said.err.strip().splitlines()) >= 2


def test_an_encoder_that_nobody_measured_says_so(asked, shop):
    said = asked("q", queries=("--queries", "q.txt", "--catalogue", "shop.csv"))
    assert "was not measured: every question gets its 30 nearest" in said.err
    assert "1/6 right?" in said.err
