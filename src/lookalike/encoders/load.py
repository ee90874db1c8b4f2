"""An encoder by its name, by a folder, or by the id a collection remembers.

The built-in's weights are versioned: the first use of a version keeps a copy of it among the user's models, so that
a collection made with an older lookalike still understands words after an upgrade. Nothing here touches a network but
the first use of an encoder that is not on this computer, and only where `download` allows it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken, EncoderUnavailable, UnknownEncoder
from lookalike.encoders.catalogue import BUILTIN, find_entry, nearest_names
from lookalike.encoders.identity import encoder_files, find_folders, identify

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.encoders.catalogue import CatalogueEntry
    from lookalike.encoders.onnx_encoder import OnnxEncoder

BUILTIN_FOLDER = Path(__file__).with_name("builtin")


def default_models_dir() -> Path:
    """Where encoders are kept unless told otherwise: `models` in the user's data folder of lookalike."""
    from platformdirs import user_data_path

    return user_data_path("lookalike", appauthor=False) / "models"


def load_encoder(
    name: str = BUILTIN,
    *,
    device: str = "auto",
    models_dir: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    download: bool = True,
    threads: int | None = None,
    notice: Callable[[str], None] | None = None,
    endpoint: str | None = None,
) -> OnnxEncoder:
    """The encoder `name`: "builtin", a name or alias of the catalogue (any case), or the path of a local folder.

    An encoder of the catalogue that is not on this computer is downloaded when `download` is true; `progress` is
    then called with (file, bytes done, bytes in all), `endpoint` replaces the hub's address. `device` and `threads`
    are those of `OnnxEncoder`; `notice` is told what the user should know.
    Raises UnknownEncoder, EncoderUnavailable (not here and not to be had), EncoderBroken.
    """
    models = models_dir or default_models_dir()
    if name.casefold() == BUILTIN:
        folder, called = BUILTIN_FOLDER, BUILTIN
        _need_builtin()
        _keep_builtin(models)
    elif entry := find_entry(name):
        folder, called = _fetched(entry, models, progress, endpoint, download=download), entry.name
    elif Path(name).expanduser().is_dir():
        folder = Path(name).expanduser().absolute()
        called = folder.name
    else:
        near = nearest_names(name)
        hint = f"did you mean {' or '.join(near)}?" if near else "lookalike encoders lists the names"
        raise UnknownEncoder(f'there is no encoder and no folder called "{name}"', hint=hint)
    return _open(folder, called, models, device=device, threads=threads, notice=notice)


def load_encoder_by_id(
    encoder_id: str,
    *,
    device: str = "auto",
    models_dir: Path | None = None,
    threads: int | None = None,
    notice: Callable[[str], None] | None = None,
) -> OnnxEncoder:
    """The encoder that made vectors of `encoder_id`: the built-in, an older kept one, a downloaded or a local one.

    Downloads nothing. Raises EncoderUnavailable when no folder known here has that id.
    """
    models = models_dir or default_models_dir()
    name, _, digest = encoder_id.rpartition("-")
    folders = [(BUILTIN_FOLDER, BUILTIN), (models / BUILTIN / digest, BUILTIN)] if name == BUILTIN else []
    folders += [(entry.folder(models), entry.name)] if (entry := find_entry(name)) else []
    for folder, called in [*folders, *find_folders(encoder_id, models)]:
        if (folder / "config.json").is_file() and identify(folder, called, models) == encoder_id:
            return _open(folder, called, models, device=device, threads=threads, notice=notice)
    raise EncoderUnavailable(
        f"the encoder {encoder_id} is not on this computer",
        hint=f"copy its folder to {models / (name or encoder_id)}, or move the collection to another encoder: "
        f"lookalike migrate --encoder {BUILTIN}",
    )


def _open(folder: Path, name: str, models: Path, **settings: Any) -> OnnxEncoder:
    from lookalike.encoders.onnx_encoder import OnnxEncoder

    return OnnxEncoder(folder, name=name, id=identify(folder, name, models), **settings)


def _need_builtin() -> None:
    if not (BUILTIN_FOLDER / "config.json").is_file():
        raise EncoderBroken("this installation has no built-in encoder", hint="install lookalike again from its wheel")


def _keep_builtin(models: Path) -> None:
    """Copy the packaged encoder to `models`/builtin/DIGEST unless it is there. Where that cannot be, it is no error."""
    from filelock import FileLock

    digest = identify(BUILTIN_FOLDER, BUILTIN, models).rpartition("-")[2]
    kept = models / BUILTIN / digest
    if kept.is_dir():
        return
    partial = kept.with_name(f"{digest}.partial")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(kept.with_name("lock")):
            if kept.is_dir():
                return
            shutil.rmtree(partial, ignore_errors=True)
            for name in encoder_files(BUILTIN_FOLDER):
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(BUILTIN_FOLDER / name, partial / name)
            os.replace(partial, kept)
    except OSError:  # a read-only or full home: this collection works all the same, only an upgrade is not prepared
        shutil.rmtree(partial, ignore_errors=True)


def _fetched(
    entry: CatalogueEntry,
    models: Path,
    progress: Callable[[str, int, int], None] | None,
    endpoint: str | None,
    *,
    download: bool,
) -> Path:
    folder = entry.folder(models)
    if entry.installed(models):
        return folder
    if not download:
        raise EncoderUnavailable(
            f"the encoder {entry.name} is not on this computer",
            hint=f"copy the files of {entry.repository} to {folder}, or use the encoder {BUILTIN}, which needs none",
        )
    from lookalike.encoders.download import download_encoder

    return download_encoder(entry, models, progress=progress, endpoint=endpoint)
