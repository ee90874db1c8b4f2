"""Texts of all languages in groups, each aiming at the place of its English."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.training.shared_space import Space
from lookalike.training.text_material import (
    TextMaterial,
    flickr_photos,
    gather_texts,
    subword_texts,
    text_material,
)
from lookalike.training.vocabulary import train_tokeniser


@pytest.fixture
def texts(words, translations, photos):
    return list(gather_texts(words, translations, photos, {"3": 32}, held={words.number("shot 0 is red")}))


def of(texts, group):
    return [each.text for each in texts if each.group == group]


def test_texts_are_grouped_by_language_and_kind(texts):
    assert of(texts, "ru-word") == ["красный", "зелёный", "синий"]
    assert of(texts, "ru-caption") == ["снимок 3 красный"]
    assert "a red thing" in of(texts, "en-name")
    assert "shot 3 is red" in of(texts, "en-caption")


def test_words_stand_in_phrases_of_their_language(texts):
    assert "фото красный" in of(texts, "ru-phrase")
    assert "ein Foto von rot" in of(texts, "de-phrase")


def test_captions_of_a_test_are_left_out(texts):
    assert "shot 0 is red" not in of(texts, "en-caption")


def test_captions_know_their_photo_in_every_language(texts):
    known = {each.text: each.photo for each in texts if each.photo >= 0}
    assert known["shot 3 is red"] == known["снимок 3 красный"] == 32
    assert "красный" not in known


def test_flickr_photos_are_known_by_their_number(packs, words):
    from lookalike.training.photos import Photos

    for kind in ("npy", "json"):
        (packs / f"shots.{kind}").rename(packs / f"flickr.{kind}")
    words.captions["flickr"] = words.captions.pop("shots")
    opened = Photos.open(packs, words, {"colours": 0.5, "flickr": 0.5})
    assert flickr_photos(opened, packs)["3"] == 32
    assert flickr_photos(Photos.open(packs, words, {"colours": 1.0}), packs) == {}


def test_a_text_aims_at_the_mean_of_its_english(words, texts):
    draw = np.random.default_rng(0)
    places = draw.normal(size=(len(words.texts), 16)).astype(np.float16)
    space = Space(places, places, np.zeros(1280, np.float32), np.ones(1280, np.float32), 20.0)
    texts[-1].english.append(0)
    made = text_material(texts, space, train_tokeniser(words.texts, 300, 12))
    assert made.tokens.shape == (len(texts), 12)
    assert sum(len(group) for group in made.groups.values()) == len(texts)
    for place, each in enumerate(texts):
        wanted = places[each.english].astype(np.float32).sum(0)
        assert np.allclose(made.targets[place], wanted / np.linalg.norm(wanted), atol=2e-3)


def test_it_is_kept_as_it_is(words, texts, tmp_path):
    places = np.ones((len(words.texts), 16), np.float16)
    space = Space(places, places, np.zeros(1280, np.float32), np.ones(1280, np.float32), 20.0)
    made = text_material(texts, space, train_tokeniser(words.texts, 300, 12))
    made.write(tmp_path / "texts.npz")
    again = TextMaterial.read(tmp_path / "texts.npz")
    assert again.groups.keys() == made.groups.keys()
    assert all((again.groups[name] == group).all() for name, group in made.groups.items())
    assert (again.tokens == made.tokens).all()
    assert (again.photos == made.photos).all()


def test_the_tokeniser_reads_rare_languages_more_often_and_no_test(words, translations):
    copies = {"en-caption": 1, "ru-word": 8, "ru-caption": 2, "de-word": 0.5}
    shown = list(subword_texts(words, translations, {words.number("shot 0 is red")}, copies))
    counts = [shown.count(text) for text in ("красный", "снимок 3 красный", "rot", "grün", "red", "shot 0 is red")]
    assert counts == [8, 2, 1, 0, 1, 0]
