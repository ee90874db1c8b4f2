"""Photos come out of git directories, and only those a set asks for."""

from __future__ import annotations

import io
import subprocess

import numpy as np
import pytest
from PIL import Image

from lookalike.core.errors import SourceError
from lookalike.training.pack import PackList, pack, pixels_of
from lookalike.training.photo_sets import PHOTO_SETS, PhotoSet
from lookalike.training.snapshots import Snapshots, photos_of


def png(colour):
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def snapshots(tmp_path):
    """owner+name with cats 1-4, a dog, a broken picture and a text, committed; its id is kept in `commit`."""
    place = tmp_path / "snapshots" / "owner+name"
    for name, content in {
        **{f"pets/cat/{number}.png": png((number * 50, 0, 0)) for number in range(1, 5)},
        "pets/dog/1.png": png("blue"),
        "pets/dog/3.png": b"not a picture",
        "pets/notes.txt": b"hello",
    }.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    git = ["git", "-C", str(place), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "pets"]):
        subprocess.run([*git, *command], check=True)
    return Snapshots(tmp_path / "snapshots")


def paths(photos):
    return [path for path, _, _ in photos]


def test_a_set_takes_what_its_pattern_and_parity_say(snapshots):
    cats = PhotoSet("cats", "owner/name", "HEAD", r"^pets/cat/", label=1, parity="odd")
    assert paths(photos_of(cats, snapshots)) == ["pets/cat/1.png", "pets/cat/3.png"]
    assert {label for _, _, label in photos_of(cats, snapshots)} == {"cat"}


def test_barred_names_and_left_out_paths_are_never_taken(snapshots):
    cats = PhotoSet("cats", "owner/name", "HEAD", r"^pets/cat/", label=1, leave_out=r"/2\.png$")
    assert paths(photos_of(cats, snapshots, barred={"4.png"})) == ["pets/cat/1.png", "pets/cat/3.png"]


def test_a_large_class_is_cut_and_always_the_same_way(snapshots):
    pets = PhotoSet("pets", "owner/name", "HEAD", r"^pets/", label=1, per_class=2)
    first = photos_of(pets, snapshots)
    assert first == photos_of(pets, snapshots)
    assert sorted(label for _, _, label in first) == ["cat", "cat", "dog", "dog"]


def test_labels_of_a_table_leave_out_what_it_does_not_list(snapshots):
    pets = PhotoSet("pets", "owner/name", "HEAD", r"^pets/cat/", label=0)
    found = photos_of(pets, snapshots, labels={"1": "tabby", "2": "tom"})
    assert [label for _, _, label in found] == ["tabby", "tom"]


def test_a_missing_repository_says_how_to_get_it(snapshots):
    with pytest.raises(SourceError) as caught:
        snapshots.files("no/body", "HEAD")
    assert "git clone --bare https://github.com/no/body" in caught.value.hint


def test_a_missing_blob_or_commit_is_an_error(snapshots):
    with snapshots.reader("owner/name") as read, pytest.raises(SourceError):
        read("0" * 40)
    with pytest.raises(SourceError):
        snapshots.files("owner/name", "0123456789")


def test_a_pack_holds_every_photo_and_notes_the_broken_one(snapshots, tmp_path):
    pets = PhotoSet("pets", "owner/name", "HEAD", r"^pets/", label=1)
    photos = photos_of(pets, snapshots)
    made = pack("pets", "owner/name", photos, snapshots, tmp_path / "packs", side=16)
    pictures = pixels_of(tmp_path / "packs", "pets")
    assert pictures.shape == (6, 16, 16, 3)
    broken = made.paths.index("pets/dog/3.png")
    assert made.bad == [broken]
    assert np.array_equal(pictures[made.paths.index("pets/cat/2.png")][0, 0], [100, 0, 0])
    assert PackList.read(tmp_path / "packs", "pets") == made


def test_what_is_packed_is_not_packed_again(snapshots, tmp_path):
    photos = photos_of(PhotoSet("pets", "owner/name", "HEAD", r"^pets/", label=1), snapshots)
    made = pack("pets", "owner/name", photos, snapshots, tmp_path / "packs", side=16)
    assert pack("pets", "owner/name", [], snapshots, tmp_path / "packs", side=16) == made


def test_held_out_and_training_halves_share_nothing():
    halves = {each.name: each for each in PHOTO_SETS if each.name.startswith("caltech")}
    assert (halves["caltech"].parity, halves["caltech_test"].parity) == ("odd", "even")
    assert all(each.share == 0 for each in PHOTO_SETS if each.use == "hold out")
