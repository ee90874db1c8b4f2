"""The user's own encoders: folders that were used on this computer, beside the built-in and those of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.identity import known_folders
from lookalike.encoders.kinds import made_of
from lookalike.encoders.load import BUILTIN_FOLDER
from lookalike.encoders.onnx_encoder import read_json

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class OwnEncoder:
    """One folder. `kind`: "models" for an encoder with models of its own, else as its config.json says.

    `made_of`: ids of the encoders it is made of. `dim` None where config.json does not say it.
    """

    name: str
    folder: Path
    kind: str
    dim: int | None
    made_of: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """What `encoders --json` prints under "own"."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "kind": self.kind,
            "dim": self.dim,
            "made_of": list(self.made_of),
        }


def own_encoders(models_dir: Path) -> list[OwnEncoder]:
    """Those that are still there, by name; what is below `models_dir` is the catalogue's or the built-in's."""
    found = []
    for known in known_folders(models_dir):
        folder = known.folder
        ours = folder == BUILTIN_FOLDER or folder.is_relative_to(models_dir.absolute())
        if not ours and (folder / "config.json").is_file():
            try:
                config = read_json(folder / "config.json")
                parts = tuple(made_of(config, folder))
            except EncoderBroken:  # whoever uses it is told; a list has nothing to say of it
                continue
            dim = config.get("embed_dim")
            kind = str(config.get("kind") or "models")
            found.append(OwnEncoder(folder.name, folder, kind, dim if isinstance(dim, int) else None, parts))
    return sorted(found, key=lambda each: (each.name, str(each.folder)))
