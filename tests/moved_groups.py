"""Groups of duplicates made by hand, and moving them in a process that dies: shared by the tests of moving.

    python tests/moved_groups.py FOLDER move|undo one|two EVERY

moves (or brings back) the duplicates of a prepared FOLDER, on one disk or between two, in a process that dies before
its first line, then from the same beginning EVERY lines later, and so on until it comes to its end. After each death
the journal is finished, and all is looked at.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.engine.duplicates_report import DuplicateGroup, Member
from lookalike.engine.items import find_item
from lookalike.engine.move_plan import plan_moves
from lookalike.engine.moving import finish, move, undo
from lookalike.store.collection_store import Store

if TYPE_CHECKING:
    from lookalike.core.records import LikenessKind

WATCHED = ("carrying.py", "moving.py", "moves.py")
"""The process dies before a line of these."""
DIED = 9


def group_of(store: Store, *paths: Path, kind: LikenessKind = "copy", sure: float = 0.9) -> DuplicateGroup:
    """The items at `paths` as a group of which the first is kept."""
    with store.snapshot() as snapshot:
        items = [find_item(snapshot, str(path)) for path in paths]
    members = tuple(
        Member(
            item.id,
            item.uri,
            item.picture,
            item.width,
            item.height,
            item.format,
            item.size,
            item.modified_ns,
            item.offline,
            kind,
            1.0 if number == 0 else sure,
            "" if number == 0 else "saved again",
        )
        for number, item in enumerate(items)
    )
    return DuplicateGroup(kind, sure, "saved again", members, members[0].id, "the most pixels", f"{kind}:1")


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def disks_apart(*disks: Path) -> None:
    """From now on nothing is renamed from one of these folders into another: as if each were a disk."""
    rename = os.replace

    def replace(source: bytes, target: bytes) -> None:
        if disk_of(source) != disk_of(target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, target)

    def disk_of(path: bytes) -> int | None:
        return next((n for n, disk in enumerate(disks) if os.fsdecode(path).startswith(str(disk) + os.sep)), None)

    os.replace = replace  # type: ignore[assignment]


def move_all(folder: Path) -> None:
    """Move a.png's copy and b.png's copy of a prepared folder away, in one run."""
    pictures = folder / "pictures"
    with Store.open(folder / "test.lookalike") as store:
        groups = [group_of(store, pictures / f"{name}.png", pictures / f"{name}-copy.png") for name in ("a", "b")]
        with store.snapshot() as snapshot:
            plan = plan_moves(store, snapshot, groups, os.fsencode(folder / "away"))
        list(move(store, plan))


def undo_all(folder: Path) -> None:
    """Bring the last move back."""
    with Store.open(folder / "test.lookalike") as store:
        list(undo(store))


def work(folder: Path, what: str, disks: str) -> None:
    """Move or undo, on one disk or on two."""
    if disks == "two":
        disks_apart(folder / "pictures", folder / "away")
    move_all(folder) if what == "move" else undo_all(folder)


def die_before(line: int, folder: Path, what: str, disks: str) -> None:
    """`work` that ends with nothing tidied up before it runs its `line`th line, if it has so many."""
    seen = 0

    def trace(frame, event, _):
        nonlocal seen
        if os.path.basename(frame.f_code.co_filename) not in WATCHED:
            return None
        if event == "line":
            seen += 1
            if seen == line:
                os._exit(DIED)
        return trace

    sys.settrace(trace)
    work(folder, what, disks)
    os._exit(0)


def died(line: int, folder: Path, what: str, disks: str) -> bool:
    """Whether a process of its own died before that line."""
    if not hasattr(os, "fork"):
        return subprocess.call([sys.executable, __file__, str(folder), what, disks, "0", str(line)]) == DIED
    child = os.fork()
    if child == 0:
        try:
            die_before(line, folder, what, disks)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, DIED}, f"the process ended with {code}"
    return code == DIED


def check(folder: Path, before: dict[str, bytes]) -> None:
    """Every file is at one place, whole; the collection knows just those in its folder."""
    here, away = files_below(folder / "pictures"), files_below(folder / "away")
    carried = {name.removeprefix("pictures/"): content for name, content in away.items()}
    assert not here.keys() & carried.keys(), "a file is at two places"
    assert here | carried == before, "a file is lost, or there is one too many"
    with Store.open(folder / "test.lookalike") as store:
        assert not store.open_moves()
        assert list(store.verify()) == []
        with store.snapshot() as snapshot:
            items = [item for its in snapshot.items_of(range(snapshot.count)).values() for item in its]
    pictures = {os.path.relpath(item.uri, folder / "pictures") for item in items}
    assert pictures == {name for name in here if name.endswith(".png")}, "the collection shows something else"


def main(folder: Path, what: str, disks: str, every: int) -> None:
    if disks == "two":
        disks_apart(folder / "pictures", folder / "away")
    template = folder.with_name(folder.name + "-template")
    shutil.copytree(folder, template)
    before = files_below(folder / "pictures") | {
        name.removeprefix("pictures/"): content for name, content in files_below(folder / "away").items()
    }
    line = 1
    while died(line, folder, what, disks):
        with Store.open(folder / "test.lookalike") as store:
            finish(store)
        check(folder, before)
        shutil.rmtree(folder)
        shutil.copytree(template, folder)
        line += every
    check(folder, before)
    print(line)


if __name__ == "__main__":
    place, doing, between, every, *line = sys.argv[1:]
    if line:
        die_before(int(line[0]), Path(place), doing, between)
    main(Path(place), doing, between, int(every))
