"""Encoders are known by name, with what a person needs to choose."""

from __future__ import annotations

import dataclasses

import pytest

from lookalike.encoders.catalogue import catalogue, find_entry, nearest_names
from tiny_encoder import write_tiny_encoder

PROMISED = [
    "clip-vit-b-32",
    "clip-vit-l-14",
    "siglip2-b-32-256",
    "siglip2-b-16",
    "xlm-roberta-b-32",
    "xlm-roberta-l-vit-h-14",
    "nllb-clip-base-siglip",
]


def test_the_promised_encoders_are_there_and_fully_described():
    assert [entry.name for entry in catalogue()] == PROMISED
    for entry in catalogue():
        assert all(getattr(entry, field.name) for field in dataclasses.fields(entry)), entry.name
        assert "en" in entry.languages
        assert set(entry.recall) <= set(entry.languages)


@pytest.mark.parametrize("name", ["clip-vit-b-32", "clip-ViT-B-32", "CLIP-VIT-B-32", "immich-app/ViT-B-32__openai"])
def test_names_aliases_and_repositories_are_found_in_any_case(name):
    assert find_entry(name).name == "clip-vit-b-32"


def test_no_two_encoders_answer_to_one_name():
    names = [name.casefold() for entry in catalogue() for name in {entry.name, *map(str.casefold, entry.aliases)}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("typed", "meant"), [("siglip2-b16", "siglip2-b-16"), ("clip-b-32", "clip-vit-b-32"), ("bultin", "builtin")]
)
def test_a_slip_of_the_pen_finds_the_nearest_name(typed, meant):
    assert meant.casefold() in [name.casefold() for name in nearest_names(typed)]


def test_nothing_is_near_to_nonsense():
    assert nearest_names("xyzzy 12345") == []


def test_installed_means_the_files_are_here(tmp_path):
    entry = find_entry("clip-vit-b-32")
    assert not entry.installed(tmp_path)
    write_tiny_encoder(entry.folder(tmp_path))
    assert entry.installed(tmp_path)
