"""Candidates judged on real files: read once, judged less surely where a file is away or another one by now."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

import lookalike
from lookalike.engine.candidates import Candidates
from lookalike.engine.likeness_words import reasons_of, why_alike
from lookalike.engine.sources import sources_of
from lookalike.engine.verifying_pairs import Verifier
from lookalike.store.collection_store import Store


def photo(seed: int) -> Image.Image:
    draw = np.random.default_rng(seed)
    levels = np.zeros((240, 320, 3), np.float32)
    for cells in (3, 7, 15, 40):
        noise = Image.fromarray(draw.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        levels += np.asarray(noise.resize((320, 240), Image.Resampling.BICUBIC), np.float32) / cells**0.5
    levels -= levels.min()
    return Image.fromarray((levels * (255 / levels.max())).astype(np.uint8))


@pytest.fixture
def store(tmp_path, toy):
    folder = tmp_path / "photos"
    folder.mkdir()
    photo(1).save(folder / "a.jpg", quality=95)
    photo(1).resize((160, 120)).save(folder / "b.jpg", quality=40)
    ImageOps.mirror(photo(1)).crop((30, 20, 260, 200)).save(folder / "c.jpg", quality=80)
    photo(2).save(folder / "d.jpg", quality=90)
    with lookalike.open(tmp_path / "test.lookalike", encoder=toy) as collection:
        list(collection.sync([folder]))
        path = collection.path
    with Store.open(path) as opened:
        yield opened


def numbers(snapshot) -> dict[str, int]:
    """The number of the picture of each file."""
    found = snapshot.items_of(range(snapshot.count)).values()
    return {item.uri[-5:-4]: item.picture for items in found for item in items}


def taken_by(*cameras: str) -> list[bytes]:
    """EXIF of pictures that these cameras took, the first at noon, each of the others a minute later."""
    blocks = []
    for minute, camera in enumerate(cameras):
        exif = Image.Exif()
        exif[0x010F] = exif[0x0110] = camera
        exif.get_ifd(0x8769)[0x9003] = f"2024:05:01 12:{minute:02}:00"
        blocks.append(exif.tobytes())
    return blocks


def pairs_of(number: dict[str, int], *names: str, distance: int = 2, cosine: float = 0.99) -> Candidates:
    pairs = [sorted((number[one], number[other])) for one, other in names]
    first, second = np.array(pairs, np.int64).T
    same = np.ones(len(pairs))
    return Candidates(
        first,
        second,
        (same * distance).astype(np.int64),
        (same * 0).astype(np.int64),
        (same * cosine).astype(np.float32),
        np.empty(0, np.int64),
    )


def judged(store, *names: str, **options) -> dict[str, tuple[str, float, str]]:
    with store.snapshot() as snapshot, Verifier(sources_of(store), workers=1) as verifier:
        number = numbers(snapshot)
        name_of = {picture: name for name, picture in number.items()}
        found = list(verifier.verified(snapshot, pairs_of(number, *names, **options)))
        assert verifier.compared == len(names)
    said = {"".join(sorted((name_of[pair.first], name_of[pair.second]))): pair for pair in found}
    return {names: (pair.kind, pair.sure, why_alike(reasons_of(pair.why))) for names, pair in said.items()}


def test_copies_and_edits_are_told_and_different_pictures_left_out(store):
    found = judged(store, "ab", "ac", "ad", "bc", "cd")
    assert {pair: kind for pair, (kind, _, _) in found.items()} == {"ab": "copy", "ac": "edited", "bc": "edited"}
    assert found["ab"][2] == "one is 50% of the other's size"
    assert "cropped" in found["ac"][2]
    assert "mirrored" in found["ac"][2]


def test_pairs_that_nobody_named_are_judged_alike(store):
    with store.snapshot() as snapshot, Verifier(sources_of(store), workers=1) as verifier:
        number = numbers(snapshot)
        pairs = [tuple(sorted((number["a"], number[other]))) for other in "bd"]
        (found,) = verifier.verified_pairs(snapshot, pairs)
    assert {found.first, found.second} == {number["a"], number["b"]}


def test_a_file_that_is_away_is_judged_by_its_fingerprint_and_less_surely(store, tmp_path):
    present = judged(store, "ab")["ab"]
    (tmp_path / "photos" / "b.jpg").unlink()
    kind, sure, why = judged(store, "ab")["ab"]
    assert kind == "copy"
    assert sure < present[1]
    assert "away" in why


def test_a_file_that_shows_something_else_by_now_is_not_believed(store, tmp_path):
    shutil.copyfile(tmp_path / "photos" / "a.jpg", tmp_path / "photos" / "d.jpg")
    assert judged(store, "ad", distance=128, cosine=0.3) == {}


def test_another_place_of_the_picture_serves_when_the_first_is_gone(tmp_path, toy):
    folder = tmp_path / "photos"
    folder.mkdir()
    photo(1).save(folder / "a.jpg", quality=95)
    shutil.copyfile(folder / "a.jpg", folder / "longer-name-a.jpg")
    photo(1).resize((160, 120)).save(folder / "b.jpg", quality=40)
    with lookalike.open(tmp_path / "test.lookalike", encoder=toy) as collection:
        list(collection.sync([folder]))
        path = collection.path
    (folder / "a.jpg").unlink()
    with Store.open(path) as opened:
        assert "away" not in judged(opened, "ab")["ab"][2]


@pytest.mark.parametrize("cameras", [("Lumix", "Lumix"), ("Lumix", "Pixel")])
def test_files_of_other_moments_and_cameras_are_not_even_read(tmp_path, toy, cameras):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, exif in zip("ab", taken_by(*cameras), strict=True):
        photo(1).save(folder / f"{name}.jpg", quality=95 if name == "a" else 60, exif=exif)
    with lookalike.open(tmp_path / "test.lookalike", encoder=toy) as collection:
        list(collection.sync([folder]))
        path = collection.path
    shutil.rmtree(folder)
    with (
        Store.open(path) as opened,
        opened.snapshot() as snapshot,
        Verifier(sources_of(opened), workers=1) as verifier,
    ):
        assert list(verifier.verified(snapshot, pairs_of(numbers(snapshot), "ab"))) == []
        assert verifier.unread == 0


def test_pairs_of_several_blocks_keep_their_order(store):
    with store.snapshot() as snapshot, Verifier(sources_of(store), workers=2) as verifier:
        number = numbers(snapshot)
        found = list(verifier.verified(snapshot, pairs_of(number, "ab", *["ad"] * 16_500, "ac")))
    alike = [{number["a"], number["b"]}, {number["a"], number["c"]}]
    assert [{pair.first, pair.second} for pair in found] == alike
    assert verifier.compared == 16_502
