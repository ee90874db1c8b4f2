"""Moving duplicates aside: what goes, what stays and why, and that nothing is lost whenever the process dies."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

import lookalike
import moved_groups
from lookalike.engine.move_plan import plan_moves
from lookalike.engine.moving import finish, move, undo
from lookalike.store.collection_store import Store
from moved_groups import disks_apart, files_below, group_of

NAMES = ("0001-red-triangle.png", "0002-red-circle.png")


@pytest.fixture
def folder(drawn, tmp_path, toy):
    """A collection of two pictures and a copy of each; the copy of the first has a sidecar, the second's a RAW file."""
    pictures = tmp_path / "work" / "pictures"
    pictures.mkdir(parents=True)
    for name, drawing in zip("ab", sorted(drawn.iterdir()), strict=False):
        shutil.copy2(drawing, pictures / f"{name}.png")
        shutil.copy2(drawing, pictures / f"{name}-copy.png")
    (pictures / "a-copy.png.xmp").write_text("<x:xmpmeta/>", encoding="utf-8")
    (pictures / "b-copy.json").write_text("{}", encoding="utf-8")
    sync(tmp_path / "work", toy, pictures)
    return tmp_path / "work"


def sync(work: Path, toy, *paths: Path):
    with lookalike.open(work / "test.lookalike", encoder=toy) as opened:
        *_, report = opened.sync(paths)
    return report


def ids(work: Path) -> dict[str, str]:
    """The id of every item, by its path below the folder."""
    with Store.open(work / "test.lookalike") as store, store.snapshot() as snapshot:
        items = [item for its in snapshot.items_of(range(snapshot.count)).values() for item in its]
    return {Path(item.uri).relative_to(work).as_posix(): item.id for item in items}


def plan_of(work: Path, *groups, to: str = "away"):
    with Store.open(work / "test.lookalike") as store:
        with store.snapshot() as snapshot:
            places = {
                name: name if snapshot.item(name) else work / "pictures" / name for group in groups for name in group
            }
        made = [group_of(store, *[places[name] for name in group]) for group in groups]
        with store.snapshot() as snapshot:
            return plan_moves(store, snapshot, made, os.fsencode(work / to))


def moved(work: Path, plan):
    with Store.open(work / "test.lookalike") as store:
        *_, report = move(store, plan)
    return report


def brought_back(work: Path):
    with Store.open(work / "test.lookalike") as store:
        *_, report = undo(store)
    return report


def test_a_plan_touches_nothing(folder):
    before = files_below(folder)
    plan = plan_of(folder, ("a.png", "a-copy.png"))
    assert plan.files == 2
    assert files_below(folder) == before


def test_copies_go_with_what_belongs_to_them_and_leave_the_collection_and_undo_brings_all_back(folder):
    known, before = ids(folder), files_below(folder / "pictures")
    report = moved(folder, plan_of(folder, ("a.png", "a-copy.png"), ("b.png", "b-copy.png")))
    assert (report.items, report.files, report.left) == (2, 4, ())
    assert set(files_below(folder / "pictures")) == {"a.png", "b.png"}
    assert set(files_below(folder / "away")) == {f"pictures/{name}" for name in before if "copy" in name}
    assert set(ids(folder)) == {"pictures/a.png", "pictures/b.png"}
    back = brought_back(folder)
    assert (back.items, back.files, back.again) == (2, 4, 2)
    assert files_below(folder / "pictures") == before
    assert ids(folder) == known
    assert not any((folder / "away").iterdir())


def test_after_undo_the_next_run_finds_nothing_to_do(folder, toy):
    moved(folder, plan_of(folder, ("a.png", "a-copy.png")))
    brought_back(folder)
    report = sync(folder, toy)
    assert (report.added, report.changed, report.moved, report.removed, report.encoded) == (0, 0, 0, 0, 0)


def test_what_is_moved_into_an_indexed_folder_stays_in_the_collection_with_its_id(folder, toy):
    known = ids(folder)
    moved(folder, plan_of(folder, ("a.png", "a-copy.png"), to="pictures/away"))
    assert ids(folder)["pictures/away/pictures/a-copy.png"] == known["pictures/a-copy.png"]
    report = sync(folder, toy)
    assert (report.added, report.moved, report.removed) == (0, 0, 0)
    brought_back(folder)
    assert ids(folder) == known


def test_a_folder_of_moved_files_that_was_indexed_later_gives_them_back_under_their_first_ids(folder, toy):
    known = ids(folder)
    moved(folder, plan_of(folder, ("a.png", "a-copy.png")))
    sync(folder, toy, folder / "away")
    assert "away/pictures/a-copy.png" in ids(folder)
    brought_back(folder)
    assert ids(folder) == known


def test_a_picture_that_was_forgotten_meanwhile_comes_back_as_a_file_and_is_indexed_anew(folder, toy):
    (folder / "pictures" / "a.png").unlink()
    shutil.copy2(folder / "pictures" / "b.png", folder / "pictures" / "a.png")
    sync(folder, toy)
    with lookalike.open(folder / "test.lookalike", encoder=toy) as opened:
        moved(folder, plan_of(folder, ("b.png", "a-copy.png")))
        opened.compact()
        assert brought_back(folder).again == 0
        *_, report = opened.sync()
    assert report.added == 1
    assert (folder / "pictures" / "a-copy.png").exists()


def test_runs_are_undone_one_after_another_the_last_first(folder):
    known = ids(folder)
    moved(folder, plan_of(folder, ("a.png", "a-copy.png")))
    moved(folder, plan_of(folder, ("b.png", "b-copy.png")))
    brought_back(folder)
    assert "pictures/b-copy.png" in ids(folder)
    assert "pictures/a-copy.png" not in ids(folder)
    brought_back(folder)
    assert ids(folder) == known
    assert brought_back(folder).files == 0


def test_no_file_is_ever_overwritten(folder):
    taken = folder / "away" / "pictures" / "a-copy.png"
    taken.parent.mkdir(parents=True)
    taken.write_text("somebody's", encoding="utf-8")
    moved(folder, plan_of(folder, ("a.png", "a-copy.png")))
    assert taken.read_text(encoding="utf-8") == "somebody's"
    assert set(files_below(folder / "away")) == {
        "pictures/a-copy.png",
        "pictures/a-copy-2.png",
        "pictures/a-copy-2.png.xmp",
    }
    (folder / "pictures" / "a-copy.png").write_text("another", encoding="utf-8")
    report = brought_back(folder)
    assert [each.reason[:21] for each in report.left] == ["there is another file", "its picture stayed"]
    assert (folder / "pictures" / "a-copy.png").read_text(encoding="utf-8") == "another"
    assert not (folder / "pictures" / "a-copy.png.xmp").exists(), "it would speak of another picture there"
    assert (folder / "away" / "pictures" / "a-copy-2.png").exists()


def test_a_file_that_changed_since_it_was_indexed_stays(folder):
    with open(folder / "pictures" / "a-copy.png", "ab") as file:
        file.write(b"more")
    plan = plan_of(folder, ("a.png", "a-copy.png"))
    assert not plan.moves
    assert "changed since it was indexed" in plan.left[0].reason


def test_a_file_with_other_bytes_of_the_same_size_and_time_stays(folder):
    plan = plan_of(folder, ("a.png", "a-copy.png"))
    path = folder / "pictures" / "a-copy.png"
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    report = moved(folder, plan)
    assert report.files == 0
    assert "bytes are not those" in report.left[0].reason
    assert path.exists()


def test_nothing_goes_when_the_one_to_keep_is_not_there_or_another_now(folder):
    (folder / "pictures" / "a.png").rename(folder / "pictures" / "gone.png")
    plan = plan_of(folder, ("a.png", "a-copy.png"))
    assert not plan.moves
    assert "the one to keep" in plan.left[0].reason


def test_links_stay_and_so_does_what_the_one_to_keep_is_a_link_to(folder, toy):
    pictures = folder / "pictures"
    try:
        (pictures / "link.png").symlink_to(pictures / "b-copy.png")
    except OSError:  # Windows without the right to make links: a plain copy moves as any other
        shutil.copy2(pictures / "b-copy.png", pictures / "link.png")
        sync(folder, toy)
        assert plan_of(folder, ("b.png", "link.png")).files == 1
        return
    sync(folder, toy)
    plan = plan_of(folder, ("b.png", "link.png"))
    assert "is a link" in plan.left[0].reason
    plan = plan_of(folder, ("link.png", "b-copy.png"))
    assert "a file to keep itself" in plan.left[0].reason
    plan = plan_of(folder, ("link.png", "b.png"), ("a.png", "b-copy.png"))
    assert {each.reason for each in plan.left} == {
        "the one to keep cannot be counted on: it is a link to a file that is not in its group",
        "it is a file to keep itself, by another way",
    }


def test_what_lies_in_a_folder_that_nothing_may_be_taken_out_of_stays_by_the_plan(folder, monkeypatch):
    allowed = os.access
    locked = os.fsencode(folder / "pictures")
    monkeypatch.setattr(os, "access", lambda path, mode: path != locked and allowed(path, mode))
    plan = plan_of(folder, ("a.png", "a-copy.png"))
    assert [each.reason for each in plan.left] == ["nothing may be taken out of its folder"]


def test_no_empty_folders_are_left_of_what_could_not_be_moved(folder, monkeypatch):
    plan = plan_of(folder, ("a.png", "a-copy.png"))

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    report = moved(folder, plan)
    assert [each.reason for each in report.left] == ["it cannot be moved (Permission denied)", "its picture stayed"]
    assert list((folder / "away").iterdir()) == []


def test_nothing_is_taken_away_where_the_former_folder_leads_to_the_new_one_by_now(folder):
    """Both names are the same file then."""
    moved(folder, plan_of(folder, ("a.png", "a-copy.png")))
    carried = files_below(folder / "away")
    (folder / "pictures").rename(folder / "former")
    try:
        (folder / "pictures").symlink_to(folder / "away" / "pictures", target_is_directory=True)
    except OSError:  # Windows without the right to make links: nothing leads anywhere else
        return
    report = brought_back(folder)
    itself, with_it = report.left
    assert itself.reason.endswith("is the file itself, by another way")
    assert with_it.reason == "its picture stayed"
    assert files_below(folder / "away") == carried


def test_the_one_to_keep_of_one_group_is_moved_by_no_other(folder):
    plan = plan_of(folder, ("a.png", "a-copy.png"), ("b.png", "a.png"))
    assert [move.item.uri for move in plan.moves] == [str(folder / "pictures" / "a-copy.png")]
    assert plan.left[0].reason == "it is the one to keep of another group"


def test_of_two_plans_that_keep_each_others_files_only_the_first_moves(folder):
    one, other = plan_of(folder, ("a.png", "a-copy.png")), plan_of(folder, ("a-copy.png", "a.png"))
    assert moved(folder, one).items == 1
    report = moved(folder, other)
    assert (report.files, [each.reason for each in report.left]) == (
        0,
        ["the one to keep is not there as it was indexed"],
    )
    assert (folder / "pictures" / "a.png").exists()


def test_nothing_goes_for_a_picture_in_an_archive_that_is_gone(folder, toy):
    archive = folder / "old.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(folder / "pictures" / "a.png", "a.png")
    sync(folder, toy, archive)
    with Store.open(folder / "test.lookalike") as store, store.snapshot() as snapshot:
        items = [item for its in snapshot.items_of(range(snapshot.count)).values() for item in its]
        kept = next(item.id for item in items if item.uri.startswith("tars:"))
    assert len(plan_of(folder, (kept, "a-copy.png")).moves) == 1
    archive.unlink()
    assert [each.reason for each in plan_of(folder, (kept, "a-copy.png")).left] == [
        "the one to keep cannot be counted on: it is not there as it was indexed"
    ]


def test_what_lies_in_the_folder_already_stays_there(folder, toy):
    moved(folder, plan_of(folder, ("a.png", "a-copy.png"), to="pictures/away"))
    plan = plan_of(folder, ("a.png", "away/pictures/a-copy.png"), to="pictures/away")
    assert [each.reason for each in plan.left] == ["it lies there already"]


def test_a_sidecar_that_another_picture_needs_too_stays(folder, toy):
    pictures = folder / "pictures"
    shutil.copy2(pictures / "b.png", pictures / "b-copy.bmp")
    sync(folder, toy)
    plan = plan_of(folder, ("b.png", "b-copy.png"))
    assert [Path(os.fsdecode(file.source)).name for file in plan.moves[0].files] == ["b-copy.png"]


def test_pictures_of_a_catalogue_are_never_moved(folder, toy):
    shutil.copytree(folder / "pictures", folder / "shop")
    table = folder / "shop.csv"
    table.write_text("id,image\n1,shop/a.png\n2,shop/a-copy.png\n", encoding="utf-8")
    assert sync(folder, toy, table).added == 2
    with Store.open(folder / "test.lookalike") as store, store.snapshot() as snapshot:
        group = group_of(store, Path("1"), Path("2"))
        plan = plan_moves(store, snapshot, [group], os.fsencode(folder / "away"))
    assert not plan.moves
    assert "catalogue" in plan.left[0].reason


def test_to_another_disk_files_are_copied_with_their_times_and_compared(folder, monkeypatch):
    monkeypatch.setattr(os, "replace", os.replace)
    disks_apart(folder / "pictures", folder / "away")
    before = files_below(folder / "pictures")
    times = (folder / "pictures" / "a-copy.png").stat().st_mtime_ns
    assert moved(folder, plan_of(folder, ("a.png", "a-copy.png"))).files == 2
    assert (folder / "away" / "pictures" / "a-copy.png").stat().st_mtime_ns == times
    assert set(files_below(folder / "away")) == {"pictures/a-copy.png", "pictures/a-copy.png.xmp"}
    brought_back(folder)
    assert files_below(folder / "pictures") == before


if sys.platform != "win32":  # where a whole path is often no longer than that name

    def test_a_name_as_long_as_a_disk_allows_goes_to_another_disk_and_back(folder, toy, monkeypatch):
        monkeypatch.setattr(os, "replace", os.replace)
        disks_apart(folder / "pictures", folder / "away")
        name = "n" * 251 + ".png"
        shutil.copy2(folder / "pictures" / "a.png", folder / "pictures" / name)
        sync(folder, toy)
        report = moved(folder, plan_of(folder, ("a.png", name)))
        assert (report.files, report.left) == (1, ())
        assert [path.name for path in (folder / "away" / "pictures").iterdir()] == [name]
        assert brought_back(folder).files == 1


def test_a_read_only_file_moves_and_comes_back(folder):
    path = folder / "pictures" / "a-copy.png"
    path.chmod(0o444)
    moved(folder, plan_of(folder, ("a.png", "a-copy.png")))
    assert not path.exists()
    brought_back(folder)
    assert path.exists()
    path.chmod(0o644)


@pytest.mark.parametrize("disks", ["one", "two"])
@pytest.mark.parametrize("what", ["move", "undo"])
def test_a_process_may_die_anywhere_and_nothing_is_lost(folder, what, disks):
    """Here at every 41st line of what moves; `moved_groups.py` by hand at each."""
    if what == "undo":
        moved_groups.move_all(folder)
    told = subprocess.run(
        [sys.executable, moved_groups.__file__, str(folder), what, disks, "41" if hasattr(os, "fork") else "120"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert int(told.stdout) > 50, "so many lines were died at"


def test_stopped_between_two_pictures_the_rest_is_not_touched_and_the_next_run_goes_on(folder, monkeypatch):
    stop = threading.Event()
    replaced = os.replace

    def replace_and_stop(source: bytes, target: bytes) -> None:
        replaced(source, target)
        stop.set()

    monkeypatch.setattr(os, "replace", replace_and_stop)
    plan = plan_of(folder, ("a.png", "a-copy.png"), ("b.png", "b-copy.png"))
    with Store.open(folder / "test.lookalike") as store:
        *_, report = move(store, plan, stop)
        assert (report.items, report.files, report.left, report.interrupted) == (1, 2, (), True)
        assert not store.open_moves()
    assert (folder / "pictures" / "b-copy.png").exists()
    stop.clear()
    assert moved(folder, plan_of(folder, ("b.png", "b-copy.png"))).interrupted is False
    stop.clear()
    with Store.open(folder / "test.lookalike") as store:
        *_, report = undo(store, stop)
        assert (report.items, report.left, report.interrupted) == (1, (), False)
        stop.clear()
        *_, report = undo(store, stop)
        assert (report.items, report.interrupted) == (1, False)


def test_a_move_that_was_cut_short_is_finished_only_when_nobody_is_at_work(folder):
    with Store.open(folder / "test.lookalike") as store:
        assert finish(store) == 0
