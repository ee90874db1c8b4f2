"""The command line called in this process, and a collection for it to work on."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import lookalike
from lookalike.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Called:
    """What a call printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., Called]:
    """Run a command: `call("search", "red")`."""

    def run(*arguments: object) -> Called:
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Called(code, out, err)

    return run


@pytest.fixture(scope="session")
def indexed_once(drawn: Path, colour_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("indexed") / "drawn.lookalike"
    with lookalike.open(path, encoder=str(colour_encoder)) as collection:
        for _ in collection.sync([drawn]):
            pass
    return path


@pytest.fixture
def indexed(indexed_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection of its own that holds the 24 drawn pictures; the commands use it without being told."""
    path = shutil.copytree(indexed_once, tmp_path / "drawn.lookalike")
    monkeypatch.setenv("LOOKALIKE_COLLECTION", str(path))
    return path
