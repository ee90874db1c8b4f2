"""What every source of pictures keeps, whatever it is made of.

A new implementation adds one function to SOURCES: it fills an empty folder and gives the source and a way to take
one of its entries away.
"""

from __future__ import annotations

import io
import pickle
import tarfile
from dataclasses import replace

import pytest

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, DecodeLimits, Picture, Skipped
from lookalike.images.catalogue import catalogue
from lookalike.images.decoding_pool import decode_many
from lookalike.images.folder import folder
from lookalike.images.objects import objects
from lookalike.images.tars import tars
from odd_files import card, encoded, sound_files, write_odd_files


def whole_folder(place):
    (place / "deeper").mkdir()
    for number, content in enumerate(sound_files().values()):
        (place / "deeper" / f"{number}.jpg").write_bytes(content)
    write_odd_files(place)
    return folder(place)


def part_of_a_folder(place):
    (place / "part").mkdir()
    write_odd_files(place)
    write_odd_files(place / "part")
    return folder(place, below=b"part", exclude=["*.tif"])


def one_file(place):
    (place / "1.png").write_bytes(encoded(card(), "PNG"))
    return folder(place / "1.png")


def rows_of_a_catalogue(place):
    for number, content in enumerate(sound_files().values()):
        (place / f"{number}.jpg").write_bytes(content)
    rows = [f"{number},{number}.jpg,{number}" for number in range(len(sound_files()))]
    (place / "c.csv").write_text("\n".join(["id,file,price", *rows, "x,none.jpg,1", ",0.jpg,", "0,1.jpg,2"]))
    source = catalogue(place / "c.csv")
    return replace(source, plan=None) if len(rows) % 2 else source


def samples_of_archives(place):
    for name in ("a.tar", "b.tar"):
        with tarfile.open(place / name, "w") as archive:
            for number, content in enumerate(sound_files().values()):
                member = tarfile.TarInfo(f"{number}.jpg")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return tars(place)


def objects_of_a_store(place):
    for number, content in enumerate(sound_files().values()):
        (place / f"{number}.jpg").write_bytes(content)
    return objects((place).as_uri().replace("file://", "local://"))


SOURCES = {
    source.__name__: source
    for source in (
        whole_folder,
        part_of_a_folder,
        one_file,
        rows_of_a_catalogue,
        samples_of_archives,
        objects_of_a_store,
    )
}


@pytest.fixture(params=SOURCES)
def source(request, tmp_path):
    return SOURCES[request.param](tmp_path)


def assets_of(source):
    return [found for found in source.assets() if isinstance(found, Asset)]


def test_it_gives_entries_in_the_same_order_every_time(source):
    first, second = list(source.assets()), list(source.assets())
    assert first == second
    assert any(isinstance(found, Asset) for found in first)


def test_every_entry_is_an_asset_or_says_why_not(source):
    for found in source.assets():
        assert isinstance(found, (Asset, Skipped))
        if isinstance(found, Skipped):
            assert found.uri
            assert found.code
            assert found.reason


def test_keys_are_bytes_and_no_two_entries_share_one(source):
    keys = [found.key for found in source.assets() if isinstance(found, Asset) or found.key is not None]
    assert all(isinstance(key, bytes) for key in keys)
    assert len(set(keys)) == len(keys)


def test_assets_open_as_streams_of_the_size_they_name(source):
    for asset in assets_of(source):
        with source.open(asset) as stream:
            assert len(stream.read()) == asset.size


def test_an_entry_is_stamped_as_it_was_found(source):
    for asset in assets_of(source):
        assert source.stamp(asset) == (asset.size, asset.modified_ns)


def test_the_entries_come_without_reading_them_all_first(source):
    assert isinstance(next(iter(source.assets())), (Asset, Skipped))


def test_it_works_the_same_in_another_process(source):
    copy = pickle.loads(pickle.dumps(source))
    assert list(copy.assets()) == list(source.assets())
    given = [(source, asset) for asset in assets_of(source)]
    answers = list(decode_many(given, side=32, limits=DecodeLimits(), workers=1))
    assert len(answers) == len(given)
    assert any(isinstance(answer, Picture) for _, _, answer in answers)


def test_an_entry_that_is_not_there_cannot_be_opened(source):
    with pytest.raises(OSError, match=r".+"):
        source.open(Asset(b"no/such/entry.jpg", "no such entry", 0, 0))


def test_a_source_that_is_not_there_is_a_source_error(tmp_path):
    with pytest.raises(SourceError) as caught:
        list(folder(tmp_path / "gone").assets())
    assert caught.value.hint
