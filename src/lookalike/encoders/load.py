"""An encoder by its name, by a folder, or by the id a collection remembers.

The built-in's weights are versioned: the first use of a version keeps a copy of it among the user's models, so that
a collection made with an older lookalike still understands words after an upgrade; that it could move on is said, never
forced. So is an encoder made of others kept, which is small: tuning again into the same folder does not take it from
the collections that use it. `NAME@WIDTH` is an encoder by the first components of its vectors (`narrowed`). What one is
made of is found by id, wherever it lies (`kinds`); a folder cannot be made of itself, as its id is a digest over those
it names.
Nothing here touches a network but the first use of an encoder that is not on this computer, and only where `download`
allows it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken, EncoderUnavailable, UnknownEncoder
from lookalike.core.wording import Wording
from lookalike.encoders.catalogue import BUILTIN, find_entry, nearest_names
from lookalike.encoders.identity import encoder_files, identify, known_folders, readings
from lookalike.encoders.narrowed import Narrowed, split_width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lookalike.core.protocols import Encoder
    from lookalike.encoders.catalogue import CatalogueEntry
    from lookalike.encoders.narrowed import Whole

NESTED_AT_MOST = 8
"""Encoders around encoders: an ensemble of tuned heads has 2. More is a mistake, not a wish."""
KEPT = "kept"
"""Folder of the models with copies of encoders made of others, by their digests."""
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
) -> Encoder:
    """The encoder `name`: "builtin", a name or alias of the catalogue (any case), or the path of a local folder.

    "builtin@128" is one by the first 128 components of its vectors. An encoder of the catalogue that is not on this
    computer is downloaded when `download` is true; `progress` is then called with (file, bytes done, bytes in all),
    `endpoint` replaces the hub's address. `device` and `threads` are those of `OnnxEncoder`; `notice` is told what the
    user should know.
    Raises UnknownEncoder, EncoderUnavailable (not here and not to be had), EncoderBroken.
    """
    models = models_dir or default_models_dir()
    settings = {"device": device, "threads": threads, "notice": notice}

    def fetch(entry: CatalogueEntry) -> Path:
        return _fetched(entry, models, progress, endpoint, download=download)

    here = _Here(models, settings, fetch)
    whole, width = (name, None) if Path(name).expanduser().is_dir() else split_width(name)
    if whole.casefold() == BUILTIN:
        folder, called = BUILTIN_FOLDER, BUILTIN
        _need_builtin()
        _keep_builtin(models)
    elif entry := find_entry(whole):
        folder, called = fetch(entry), entry.name
    elif Path(whole).expanduser().is_dir():
        folder = Path(whole).expanduser().absolute()
        called = folder.name
    else:
        near = nearest_names(name)
        hint = f"did you mean {' or '.join(near)}?" if near else "lookalike encoders lists the names"
        raise UnknownEncoder(f'there is no encoder and no folder called "{name}"', hint=hint)
    encoder = here.open(folder, called)
    return encoder if width in {None, encoder.dim} else Narrowed(encoder, width)


def load_encoder_by_id(
    encoder_id: str,
    *,
    device: str = "auto",
    models_dir: Path | None = None,
    threads: int | None = None,
    notice: Callable[[str], None] | None = None,
) -> Encoder:
    """The encoder that made vectors of `encoder_id`: the built-in, an older kept one, a downloaded or a local one.

    Downloads nothing. `notice` is also told that there is a newer built-in than the one asked for.
    Raises EncoderUnavailable when no folder known here has that id.
    """
    settings = {"device": device, "threads": threads, "notice": notice}
    return _Here(models_dir or default_models_dir(), settings, fetch=None).by_id(encoder_id)


@dataclass(frozen=True, slots=True)
class _Here:
    """Opening what lies on this computer. `settings`: those of `OnnxEncoder`. `fetch`: gets one of the catalogue.

    `depth`: how many encoders around it this is about.
    """

    models: Path
    settings: Mapping[str, Any]
    fetch: Callable[[CatalogueEntry], Path] | None
    depth: int = 0

    def open(self, folder: Path, name: str) -> Whole:
        """The encoder in a folder, and with it those it is made of."""
        from lookalike.encoders.kinds import open_folder
        from lookalike.encoders.onnx_encoder import OnnxEncoder

        if self.depth > NESTED_AT_MOST:
            raise EncoderBroken(f"{folder} is one of more than {NESTED_AT_MOST} encoders around each other")
        inside = replace(self, depth=self.depth + 1)
        identity = identify(folder, name, self.models)
        encoder = open_folder(folder, name=name, id=identity, load_part=inside.part, **self.settings)
        if not isinstance(encoder, OnnxEncoder) and not folder.is_relative_to(self.models.absolute()):
            _keep(folder, self.models / KEPT / identity.rpartition("-")[2])
        return encoder

    def by_id(self, encoder_id: str) -> Encoder:
        """The encoder of an id. Raises EncoderUnavailable."""
        meant = readings(encoder_id)
        for (whole_id, width), renamed in [*((each, False) for each in meant), (meant[-1], True)]:
            folder = _folder_of(whole_id, self.models, renamed=renamed)
            if folder is not None:
                name = whole_id.rpartition("-")[0]
                if name == BUILTIN:
                    _keep_or_tell(folder, self.models, None if self.depth else self.settings["notice"])
                encoder = self.open(folder, name)
                return encoder if width is None else Narrowed(encoder, width)
        raise _not_here(encoder_id, self.models, is_part=self.depth > 0)

    def part(self, encoder_id: str) -> Encoder:
        """The encoder of an id that another one is made of: one of the catalogue may have to be fetched for it."""
        try:
            return self.by_id(encoder_id)
        except EncoderUnavailable:
            whole_id, _ = readings(encoder_id)[-1]
            entry = find_entry(whole_id.rpartition("-")[0])
            if self.fetch is None or entry is None or entry.installed(self.models):
                raise
            self.fetch(entry)
            return self.by_id(encoder_id)


def _folder_of(encoder_id: str, models: Path, *, renamed: bool) -> Path | None:
    """Where the encoder of this id lies, checked by the digest of what lies there; `renamed`: under any other name."""
    name, _, digest = encoder_id.rpartition("-")
    folders = [BUILTIN_FOLDER, models / BUILTIN / digest] if name == BUILTIN else []
    folders.append(models / name)
    known = [each for each in known_folders(models) if each.digest == digest]
    folders += [each.folder for each in known if (each.name != name) == renamed]
    folders += [models / KEPT / digest] if renamed else []
    for folder in folders:
        if (folder / "config.json").is_file() and identify(folder, name, models) == encoder_id:
            return folder
    return None


def _keep_or_tell(folder: Path, models: Path, notice: Callable[[str], None] | None) -> None:
    """Keep a copy of the present built-in; of an older one, tell that there is a newer."""
    if folder == BUILTIN_FOLDER:
        _keep_builtin(models)
    elif notice:
        notice(
            "this collection was made with an earlier built-in encoder, which still answers; "
            f"lookalike migrate --encoder {BUILTIN} moves it to the present one"
        )


def _not_here(encoder_id: str, models: Path, *, is_part: bool) -> EncoderUnavailable:
    """What to say of an encoder that is nowhere: where it was last, and every way on. `is_part`: of another one."""
    whole_id, width = readings(encoder_id)[-1]
    name, _, digest = whole_id.rpartition("-")
    migrate = f"lookalike migrate --encoder {BUILTIN}"
    if name == BUILTIN:
        return EncoderUnavailable(
            Wording("old_builtin_gone", name=whole_id),
            hint=Wording("old_builtin_copy", migrate=migrate, folder=models / BUILTIN / digest),
        )
    message = Wording("encoder_gone", name=encoder_id)
    places = [known.folder for known in known_folders(models) if known.digest == digest]
    if places:
        message = Wording("encoder_was_in", name=encoder_id, place=places[-1])
    folder = f"FOLDER@{width}" if width else "FOLDER"
    say = "" if is_part else Wording("encoder_say_where", folder=folder)
    back = models / (name or encoder_id)
    return EncoderUnavailable(message, hint=Wording("encoder_put_back", folder=back, say=say, migrate=migrate))


def _need_builtin() -> None:
    if not (BUILTIN_FOLDER / "config.json").is_file():
        raise EncoderBroken("this installation has no built-in encoder", hint="install lookalike again from its wheel")


def _keep_builtin(models: Path) -> None:
    """Keep a copy of the packaged encoder: an upgrade brings another."""
    digest = identify(BUILTIN_FOLDER, BUILTIN, models).rpartition("-")[2]
    _keep(BUILTIN_FOLDER, models / BUILTIN / digest)


def _keep(folder: Path, kept: Path) -> None:
    """Copy the encoder in `folder` to `kept` unless it is there. Where that cannot be, it is no error."""
    from filelock import FileLock

    if kept.is_dir():
        return
    partial = kept.with_name(f"{kept.name}.partial")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(kept.with_name("lock")):
            if kept.is_dir():
                return
            shutil.rmtree(partial, ignore_errors=True)
            for name in encoder_files(folder):
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, partial / name)
            os.replace(partial, kept)
    except OSError:  # a read-only or full home: this collection works all the same, only a loss is not prepared for
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
