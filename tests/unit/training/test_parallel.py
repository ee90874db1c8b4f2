"""Translated captions come with their English and their photo's number, and never those of a test's photos."""

from __future__ import annotations

import gzip
import json
import subprocess

import pytest

from lookalike.training import parallel
from lookalike.training.parallel import Saying, Translations, photo_number
from lookalike.training.snapshots import Snapshots
from lookalike.training.words import Words

ENGLISH = ["A dog runs.", "A cat sleeps."]
PHOTOS = ["11.jpg", "22_b.jpg"]


def commit(place, files):
    """A git repository of `files` at `place`; the name of its commit."""
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    git = ["git", "-C", str(place), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "texts"]):
        subprocess.run([*git, *command], check=True)
    return subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()


def lines(*texts):
    return "".join(f"{text}\n" for text in texts).encode()


def records(*captions):
    return lines(*(json.dumps({"img_path": f"{photo}.jpg", "sentences": said}) for photo, said in captions))


@pytest.fixture
def snapshots(tmp_path, monkeypatch):
    """The four repositories in small, each with photos 11 and 22, and the constants that name their commits."""
    raw = {"en": ENGLISH, "de": ["Ein Hund rennt.", "Eine Katze schläft."], "fr": ["Un chien", "Un chat"]}
    raw["cs"] = ["Pes", ""]
    made = {
        "_MULTI30K": {"data/task1/image_splits/train.txt": lines(*PHOTOS)}
        | {f"data/task1/raw/train.{name}.gz": gzip.compress(lines(*texts)) for name, texts in raw.items()},
        "_EXTENSION": {
            f"multi30k-dataset-en-{code}/train.{code}": lines(f"{code} one", f"{code} two")
            for code in ("uk", "es", "zh_hans")
        },
        "_IGLUE": {"datasets/flickr30k/annotations/valid_ann.jsonl": records((11, ["first", "second"]))}
        | {
            f"datasets/flickr30k/annotations_machine-translate/valid-{name}_gmt.jsonl": records((11, [f"{name} first"]))
            for name in ("de", "es", "ja", "ru", "tr", "zh")
        }
        | {"datasets/xFlickrCO/annotations/en/test.jsonl": records(("22", ["seen"]), ("COCO_val_1", ["at sea"]))},
        "_BABEL": {
            "data/xflickrco.json": json.dumps(
                {
                    "images": ["22.jpg", "COCO_val_1.jpg", "33.jpg"],
                    "captions": {
                        name: [[f"{name} a", f"{name} b"], f"{name} sea", "x"]
                        for name in ("de", "es", "ja", "ru", "tr", "zh")
                    },
                }
            ).encode()
        },
    }
    for name, files in made.items():
        repository = getattr(parallel, name)[0]
        place = tmp_path / repository.replace("/", "+")
        place.mkdir()
        monkeypatch.setattr(parallel, name, (repository, commit(place, files)))
    return Snapshots(tmp_path)


@pytest.fixture
def sayings(snapshots):
    return [saying for saying in parallel.gather(snapshots, set(), []) if saying.kind == "caption"]


def test_a_translation_has_its_english_and_its_photo(sayings):
    assert Saying("de", "caption", "Eine Katze schläft.", ("A cat sleeps.",), "22") in sayings
    assert Saying("uk", "caption", "uk one", ("A dog runs.",), "11") in sayings
    assert Saying("ru", "caption", "ru first", ("first",), "11") in sayings
    assert Saying("ja", "caption", "ja b", ("seen",), "22") in sayings
    assert Saying("tr", "caption", "tr sea", ("at sea",), "") in sayings


def test_empty_lines_and_photos_without_english_say_nothing(sayings):
    assert [saying.text for saying in sayings if saying.language == "cs"] == ["Pes"]
    assert not [saying for saying in sayings if saying.text == "x"]


def test_no_language_speaks_of_a_held_photo(snapshots):
    left = [saying for saying in parallel.gather(snapshots, {"22"}, []) if saying.photo]
    assert {saying.photo for saying in left} == {"11"}
    assert not [saying for saying in left if "cat" in " ".join(saying.english)]


def test_photos_are_known_by_their_number():
    assert photo_number("data/images/123_abc.jpg") == photo_number("123.jpg") == "123"
    assert photo_number("COCO_val2014_1.jpg") == ""


def test_our_own_words_are_among_them(snapshots):
    assert Saying("uk", "word", "собака", ("dog",)) in list(parallel.own([]))


def test_they_are_kept_as_they_are(tmp_path):
    words, made = Words(), Translations()
    made.add(Saying("ru", "word", "пёс", ("dog", "hound")), words.number)
    made.write(tmp_path / "translations.json")
    again = Translations.read(tmp_path / "translations.json")
    assert again == made
    assert [[words.texts[number] for number in row] for row in again.english] == [["dog", "hound"]]
