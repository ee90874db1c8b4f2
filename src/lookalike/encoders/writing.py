"""Writing an encoder's folder: whole or not at all, whatever else lies in it kept."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_OWN = ("config.json", "visual", "textual")
"""What an encoder consists of; all else in its folder is a reader's: reports, notes."""


@contextmanager
def replacing(folder: Path, config: Mapping[str, Any]) -> Iterator[Path]:
    """A new folder with `config` as its config.json, to put files into; after the block it takes the place of `folder`.

    The files of the encoder that lay there are replaced, others kept. An error in the block leaves `folder` as it was.
    Raises EncoderError for a folder with models of its own: they were not made here, and nobody wants to lose them.
    """
    refuse_own_models(folder)
    folder = folder.absolute()
    mark = uuid.uuid4().hex[:8]
    partial, former = folder.with_name(f".{folder.name}.{mark}.new"), folder.with_name(f".{folder.name}.{mark}.old")
    partial.mkdir(parents=True)
    try:
        (partial / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        yield partial
        if folder.exists():
            os.replace(folder, former)
        os.replace(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        if former.exists():
            os.replace(former, folder)
        raise
    if former.exists():
        for other in [path for path in former.iterdir() if path.name not in _OWN]:
            os.replace(other, folder / other.name)
        shutil.rmtree(former, ignore_errors=True)


def refuse_own_models(folder: Path) -> None:
    """Raises EncoderError for a folder with models of its own, which nothing may take the place of."""
    if any((folder / part / "model.onnx").exists() for part in _OWN[1:]):
        raise EncoderError(
            f"{folder} holds an encoder with models of its own, which would be lost", hint="choose another folder"
        )
