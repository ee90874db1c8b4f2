"""Two who take pictures into one collection elsewhere at once lose nothing of each other, whoever ends first."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lookalike.engine.remote_collection import RemoteCollection
from lookalike.remote.opening import Access, connect
from lookalike.testing import ToyEncoder, draw_pictures
from milvus_servers import MILVUS, milvus_server
from postgres_servers import POSTGRES, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITERS = 2
PHOTOS = 12
FIELDS = ["price", "stock"]
"""A column of each writer's catalogue."""
ROOTS = {"": "photos", "catalogue:": "shop.csv"}


@pytest.fixture(scope="module", params=[next(iter(POSTGRES)), MILVUS[1]])
def before_name(request, tmp_path_factory) -> Iterator[str]:
    if request.param in POSTGRES:
        with postgres(request.param) as server:
            yield f"{server.address}&collection="
    else:
        with milvus_server(tmp_path_factory.mktemp("server")) as server:
            yield f"{server.address}/"


@pytest.fixture
def folders(tmp_path) -> list[Path]:
    """For each writer a folder: photos, one that is none, and a catalogue with a column of its own."""
    made = []
    for one in range(WRITERS):
        folder = tmp_path / f"writer-{one}"
        draw_pictures(folder / "photos", PHOTOS, seed=one)
        (folder / "photos" / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
        names = sorted(path.name for path in (folder / "photos").glob("0*"))[:3]
        rows = [f"item-{one}-{at},photos/{name},{at},{at * 1.5}" for at, name in enumerate(names)]
        (folder / "shop.csv").write_text("\n".join([f"id,image,{FIELDS[one]},weight", *rows]), encoding="utf-8")
        made.append(folder)
    return made


def assert_all_is_there(address: str, folders: list[Path]) -> None:
    with RemoteCollection(connect(address, Access(timeout_s=120)), encoder=ToyEncoder()) as there:
        status = there.status()
        assert status["items"] == WRITERS * (PHOTOS + 3)
        wanted = {f"{kind}{folder / name}" for folder in folders for kind, name in ROOTS.items()}
        assert {root["path"] for root in status["roots"]} == wanted
        assert {each.uri for each in there.failures()} == {str(folder / "photos" / "broken.jpg") for folder in folders}
        assert {*FIELDS, "weight"} <= {each.name for each in there.fields()}
        for field in FIELDS:
            assert len(there.search("red", where=f"{field} >= 1")) == 2
        again = list(there.sync())[-1]
        assert (again.added, again.changed, again.removed, again.encoded) == (0, 0, 0, 0)


def test_a_run_within_another_keeps_what_that_one_says(before_name, folders):
    address = f"{before_name}within"
    outer, inner = (
        RemoteCollection(connect(address, Access(timeout_s=120)), encoder=ToyEncoder()) for _ in range(WRITERS)
    )
    with outer, inner:
        events = outer.sync([folders[0] / "photos", folders[0] / "shop.csv"])
        next(events)  # it has seen that nothing is there
        list(inner.sync([folders[1] / "photos", folders[1] / "shop.csv"]))
        list(events)
    assert_all_is_there(address, folders)


def test_a_place_removed_amid_a_run_stays_out(before_name, folders):
    address = f"{before_name}removed"
    outer, inner = (
        RemoteCollection(connect(address, Access(timeout_s=120)), encoder=ToyEncoder()) for _ in range(WRITERS)
    )
    gone = folders[1] / "photos"
    with outer, inner:
        list(inner.sync([folders[1] / "photos"]))
        events = outer.sync([folders[0] / "photos"])
        next(events)
        assert inner.remove(gone) == PHOTOS
        list(events)
        assert list(inner.sync())[-1].added == 0
        assert {root["path"] for root in inner.status()["roots"]} == {str(folders[0] / "photos")}


def test_a_folder_and_one_around_it_at_once_are_one_after_the_next_run(before_name, folders):
    address = f"{before_name}nested"
    outer, inner = (
        RemoteCollection(connect(address, Access(timeout_s=120)), encoder=ToyEncoder()) for _ in range(WRITERS)
    )
    with outer, inner:
        events = outer.sync([folders[0] / "photos"])
        next(events)
        list(inner.sync([folders[0]]))
        list(events)
        list(outer.sync())
        assert {root["path"] for root in outer.status()["roots"]} == {str(folders[0])}
        assert sorted(item.uri for item in outer.engine.items()) == sorted(
            str(path) for path in (folders[0] / "photos").glob("0*")
        )


def test_two_processes_at_once_lose_nothing_of_each_other(before_name, folders):
    address = f"{before_name}processes"
    program = (
        "import sys; from lookalike.engine.remote_collection import RemoteCollection as Collection;"
        "from lookalike.remote.opening import Access, connect; from lookalike.testing import ToyEncoder;"
        "there = Collection(connect(sys.argv[1], Access(timeout_s=120)), encoder=ToyEncoder());"
        "list(there.sync(sys.argv[2:])); there.close()"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, address, str(folder / "photos"), str(folder / "shop.csv")])
        for folder in folders
    ]
    assert [writer.wait(timeout=300) for writer in writers] == [0] * WRITERS
    assert_all_is_there(address, folders)
