"""Encoders are known by name, with what a person needs to choose."""

from __future__ import annotations

import dataclasses

import pytest

from lookalike.encoders.catalogue import builtin_figures, catalogue, find_entry, is_builtin, nearest_names
from lookalike.encoders.load import load_encoder
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


def test_the_figures_of_the_built_in_are_those_of_the_one_that_is_shipped(tmp_path):
    """After new weights: make bench-builtin prints the table."""
    figures = builtin_figures()
    assert figures.encoder == load_encoder(models_dir=tmp_path).id
    assert {"en", "ru", "uk", "de", "fr", "es", "pl", "cs", "zh", "ja", "tr", "vi"} == set(figures.precision)
    assert all(0 <= value <= 100 for value in figures.precision.values())


@pytest.mark.parametrize(("name", "is_it"), [("builtin", True), ("builtin@128", True), ("builtins", False)])
def test_the_built_in_is_known_by_its_name_whole_or_narrowed(name, is_it):
    assert is_builtin(name) is is_it
