"""`lookalike duplicates`: what it prints, remembers, moves and brings back."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import lookalike
from lookalike.cli import duplicates_printing
from lookalike.engine.duplicates_report import DuplicatesReport

REPORT_KEYS = ["counts", "looked_at", "compared", "not_looked_at", "seconds", "interrupted", "finished", "notes"]
GROUP_KEYS = ["kind", "sure", "why", "items", "keep", "keep_why"]
HIT_KEYS = ["rank", "score", "relevance", "id", "uri", "width", "height", "metadata"]


@pytest.fixture
def doubled(pictures, colour_encoder, tmp_path, monkeypatch):
    """The 24 drawn pictures, the first two with a copy beside them, in a collection that commands use untold."""
    for path in sorted(pictures.iterdir())[:2]:
        shutil.copy2(path, pictures / f"zz-{path.name}")
    monkeypatch.setenv("LOOKALIKE_COLLECTION", str(tmp_path / "doubled.lookalike"))
    with lookalike.open(tmp_path / "doubled.lookalike", encoder=str(colour_encoder)) as collection:
        list(collection.sync([pictures]))
    return pictures


def spare(folder) -> list[str]:
    return sorted(str(path) for path in folder.iterdir() if path.name.startswith("zz-"))


def test_groups_are_listed_with_the_one_to_keep_and_what_could_go(call, doubled):
    called = call("duplicates", "--kind", "same")
    assert called.code == 0
    lines = called.out.splitlines()
    assert lines[0] == "same: the same file, byte for byte"
    assert lines[1].startswith("  + ")
    assert lines[2].startswith("    kept: ")
    assert lines[3].startswith("  - ")
    assert "zz-" in lines[3]
    assert lines[-2].startswith("2 groups: 2 equal")
    assert lines[-1].startswith("2 pictures could go")
    assert "--move-to DIR" in called.err


@pytest.mark.parametrize(
    ("again", "said"),
    [(False, "the same command goes on from here"), (True, "without --again it goes on from here")],
)
def test_after_a_look_that_was_stopped_it_is_said_how_to_go_on(capfd, again, said):
    stopped = DuplicatesReport({}, looked_at=3, compared=1, not_looked_at=0, seconds=1.0, interrupted=True)
    duplicates_printing.report(stopped, again=again)
    assert said in capfd.readouterr().err


def test_before_files_are_moved_it_is_said_how_the_look_went(call, doubled, tmp_path):
    called = call("duplicates", "--move-to", tmp_path / "aside")
    assert "24 new pictures" in called.err
    assert "Nothing was moved" in called.err


def test_json_has_the_groups_and_how_the_look_went(call, doubled):
    told = call("duplicates", "--kind", "same", "--json").json
    assert list(told) == ["groups", *REPORT_KEYS]
    group = told["groups"][0]
    assert list(group) == GROUP_KEYS
    assert list(group["items"][0])[:8] == HIT_KEYS
    assert group["keep"] == group["items"][0]["id"]
    assert [item["rank"] for item in group["items"]] == [1, 2]
    assert told["counts"] == {"same": 2}


def test_paths_are_those_that_could_go(call, doubled):
    assert sorted(call("duplicates", "--kind", "same", "--paths").out.splitlines()) == spare(doubled)
    assert sorted(call("duplicates", "--kind", "same", "-0").out.split("\0")[:-1]) == spare(doubled)


def test_only_so_many_groups_are_listed_and_all_are_counted(call, doubled):
    out = call("duplicates", "--kind", "same", "-k", 1).out
    assert out.count("  + ") == 1
    assert "... and 1 more group (-k 2 lists all)" in out
    assert "2 groups: 2 equal" in out


def test_where_limits_and_a_mistake_in_it_is_shown(call, doubled):
    assert call("duplicates", "--where", "name ~ zz").out == "No duplicates.\n"
    assert call("duplicates", "--where", "name <").code == 1


def test_a_pair_that_is_none_is_proposed_no_more_until_that_is_forgotten(call, doubled):
    pair = spare(doubled)[0], spare(doubled)[0].replace("zz-", "")
    assert call("duplicates", "--not", *pair).out == "1 pair is remembered as no duplicates.\n"
    assert call("duplicates", "--kind", "same", "--json").json["counts"] == {"same": 1}
    assert len(call("duplicates", "--list-not").out.splitlines()) == 2
    assert len(call("duplicates", "--list-not", "--json").json["not"]) == 1
    assert call("duplicates", "--forget-not", *pair).out == "1 pair may be duplicates again.\n"
    assert call("duplicates", "--forget-not", *pair).out == "Nothing of the kind was remembered.\n"
    assert call("duplicates", "--kind", "same", "--json").json["counts"] == {"same": 2}


def test_the_item_chosen_is_kept(call, doubled):
    chosen = spare(doubled)[0]
    told = call("duplicates", "--choose", chosen, "--json").json
    assert list(told) == ["not", "chosen", "forgotten_not", "forgotten_choices"]
    groups = call("duplicates", "--kind", "same", "--json").json["groups"]
    assert told["chosen"][0] in [group["keep"] for group in groups]
    assert chosen not in call("duplicates", "--kind", "same", "--paths").out
    assert call("duplicates", "--forget-choice", chosen).out == "1 choice is forgotten.\n"


def test_a_folder_that_is_preferred_is_said_to_be_the_reason(call, doubled, colour_encoder, tmp_path):
    shutil.copytree(doubled, tmp_path / "album")
    call("index", tmp_path / "album")
    called = call("duplicates", "--kind", "same", "--prefer", tmp_path / "album", "-k", 1)
    assert f"kept: below {tmp_path / 'album'}, which is preferred" in called.out


def test_a_move_is_shown_first_done_with_yes_and_undone(call, doubled, tmp_path):
    before = spare(doubled)
    asked = ("duplicates", "--kind", "same", "--move-to", tmp_path / "away")
    shown = call(*asked)
    assert spare(doubled) == before
    assert not (tmp_path / "away").exists()
    assert "2 files" in shown.out
    assert all(path in shown.out for path in before), "where no terminal is, names are whole"
    assert "would move below" in shown.out
    assert "Nothing was moved" in shown.err
    plan = call(*asked, "--json").json
    assert (plan["plan"]["files"], plan["moved"]) == (2, None)
    done = call(*asked, "--yes")
    assert "moved below" in done.out
    assert spare(doubled) == []
    assert call("duplicates", "--kind", "same").out == "No duplicates.\n"
    assert "2 files" in call("duplicates", "--undo").out
    assert spare(doubled) == before
    assert call("duplicates", "--undo").out == "There is nothing to bring back.\n"
    assert call("duplicates", "--undo", "--json").json["undone"]["files"] == 0


def test_what_stays_is_said_with_the_reason(call, doubled, tmp_path):
    with open(spare(doubled)[0], "ab") as file:
        file.write(b"more")
    called = call("duplicates", "--kind", "same", "--move-to", tmp_path / "away")
    assert "1 stays: it changed since it was indexed" in called.out


def test_a_page_is_written(call, doubled, tmp_path):
    called = call("duplicates", "--kind", "same", "--html", tmp_path / "review.html")
    assert called.out.startswith("2 groups to review")
    assert (tmp_path / "review.html").read_text(encoding="utf-8").count("<figure") == 4
    assert call("duplicates", "--html", tmp_path / "nowhere" / "review.html").code == 2


def test_yes_without_a_folder_is_wrong_usage(call, doubled):
    assert call("duplicates", "--yes").code == 2


def test_names_of_nothing_are_an_error_that_says_what_an_item_is(call, doubled):
    called = call("duplicates", "--not", "nobody", "nothing")
    assert called.code == 1
    assert "no item nobody" in called.err


def test_pairs_that_are_none_are_listed_by_their_files(call, doubled):
    pair = spare(doubled)[0], spare(doubled)[0].replace("zz-", "")
    call("duplicates", "--not", *pair)
    lines = call("duplicates", "--list-not").out.splitlines()
    assert sorted(line.split("  ")[-1] for line in lines) == sorted(pair)


@pytest.mark.parametrize(
    "arguments",
    [("--undo", "--move-to", "aside"), ("--list-not", "--undo"), ("--choose", "a", "--paths"), ("--yes",)],
)
def test_two_things_at_once_are_refused_before_anything_is_done(call, doubled, arguments):
    called = call("duplicates", *arguments)
    assert called.code == 2
    assert "one at a time" in called.err or "--yes goes with" in called.err


def test_after_an_undo_it_is_said_when_an_earlier_move_still_stands(call, doubled, tmp_path):
    first, second = spare(doubled)
    for name in (first, second):
        asked = ("duplicates", "--kind", "same", "--where", f"name ~ {Path(name).stem.split('-')[1]}")
        assert "1 file, " in call(*asked, "--move-to", tmp_path / "aside", "--yes").out
    assert "An earlier move still stands" in call("duplicates", "--undo").err
    assert "still stands" not in call("duplicates", "--undo").err
    assert spare(doubled) == [first, second]


@pytest.mark.parametrize("some", [("--kind", "same"), ("--where", "name ~ zz")])
def test_a_part_of_a_move_cannot_be_undone(call, doubled, some):
    called = call("duplicates", "--undo", *some)
    assert called.code == 2
    assert "brings a whole move back" in called.err


def test_a_folder_to_prefer_that_is_not_there_is_told(call, doubled):
    assert "there is no folder" in call("duplicates", "--prefer", str(doubled / "typo")).err


def test_the_page_lists_decisions_as_commands_for_its_collection(call, doubled, tmp_path):
    assert call("duplicates", "--html", str(tmp_path / "review.html")).code == 0
    page = (tmp_path / "review.html").read_text("utf-8")
    assert f'data-command="lookalike duplicates --collection {tmp_path / "doubled.lookalike"}"' in page


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("zz-file/below", "cannot be made"),
        ("zz-file", "is no folder"),
        ("doubled.lookalike/aside", "lies in the collection itself"),
    ],
)
def test_a_folder_that_cannot_be_moved_to_is_an_error_before_anything_is_looked_at(
    call, doubled, tmp_path, where, said
):
    (tmp_path / "zz-file").write_text("no folder")
    before = spare(doubled)
    for more in ((), ("--yes",)):
        called = call("duplicates", "--move-to", tmp_path / where, *more)
        assert (called.code, called.out) == (1, "")
        assert said in called.err
        assert "compared" not in called.err
    assert spare(doubled) == before


def test_a_folder_whose_name_no_disk_takes_is_refused_and_nothing_is_left_of_trying(call, doubled, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    called = call("duplicates", "--move-to", tmp_path / "new" / ("a" * 300))
    assert (called.code, called.out) == (1, "")
    assert "cannot be made" in called.err
    assert "where you may write" in called.err
    assert call("duplicates", "--kind", "same", "--move-to", tmp_path / "new" / "aside").code == 0
    assert sorted(path for path in tmp_path.rglob("*") if path.parent.name != "doubled.lookalike") == [
        path for path in before if path.parent.name != "doubled.lookalike"
    ]


if sys.platform == "linux":

    def test_a_folder_that_only_its_disk_refuses_is_refused_before_yes(call, doubled):
        called = call("duplicates", "--move-to", "/proc/aside")
        assert (called.code, called.out) == (1, "")
        assert "/proc/aside cannot be made" in called.err

    def test_a_page_that_cannot_be_written_is_refused_before_anything_is_looked_at(call, doubled):
        called = call("duplicates", "--html", "/proc/review.html")
        assert (called.code, called.out) == (2, "")
        assert "a folder where you may write" in called.err
        assert "compared" not in called.err


def test_a_page_takes_the_place_of_an_older_one_only_once_it_is_made(call, doubled, tmp_path):
    page = tmp_path / "review.html"
    page.write_text("older", encoding="utf-8")
    assert call("duplicates", "--html", page, "--where", "name <").code == 1
    assert page.read_text("utf-8") == "older"


def test_it_is_told_when_what_moves_stays_in_the_collection(call, doubled, tmp_path):
    inside = call("duplicates", "--kind", "same", "--move-to", doubled / "aside")
    assert f"{doubled / 'aside'} lies in a folder that is indexed" in inside.err
    assert "that is indexed" not in call("duplicates", "--kind", "same", "--move-to", tmp_path / "aside").err


def test_an_address_is_no_folder_and_no_name_is_wrong_usage(call, doubled):
    assert "is no folder of this computer" in call("duplicates", "--move-to", "s3://bucket/aside").err
    assert call("duplicates", "--move-to", "").code == 2
    assert call("duplicates", "--prefer", "").code == 2


def test_a_file_of_the_plan_that_stays_is_no_success(call, doubled, tmp_path):
    aside = tmp_path / "aside"
    assert call("duplicates", "--kind", "same", "--move-to", aside, "--yes").code == 0
    first, *_ = sorted(path.name for path in aside.rglob("zz-*"))
    (doubled / first).write_text("in the way")
    called = call("duplicates", "--undo")
    assert called.code == 1
    assert "1 stays" in called.out
