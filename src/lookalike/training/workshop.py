"""Where a run works: one folder for everything that is made, one with the repositories that are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.training.parallel import Translations
from lookalike.training.words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.training.recipes import Recipe
    from lookalike.training.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Workshop:
    """`folder` is written, `snapshots` are read. `workers`: processes for packing and asking."""

    folder: Path
    snapshots: Snapshots
    workers: int = 1

    @property
    def packs(self) -> Path:
        return self.folder / "packs"

    @property
    def words_file(self) -> Path:
        return self.folder / "words.json"

    @property
    def translations_file(self) -> Path:
        return self.folder / "translations.json"

    @property
    def tokeniser_file(self) -> Path:
        return self.folder / "tokenizer.json"

    @property
    def sentences_file(self) -> Path:
        return self.folder / "sentences.npy"

    @property
    def space_file(self) -> Path:
        return self.folder / "space.npz"

    @property
    def texts_file(self) -> Path:
        return self.folder / "texts.npz"

    @property
    def words(self) -> Words:
        return Words.read(self.words_file)

    @property
    def translations(self) -> Translations:
        return Translations.read(self.translations_file)

    @property
    def tokeniser(self) -> str:
        return self.tokeniser_file.read_text(encoding="utf-8")

    def run_folder(self, recipe: Recipe, phase: str) -> Path:
        """Where a phase of a recipe keeps its checkpoint and its log."""
        return self.folder / "runs" / recipe.name / phase
