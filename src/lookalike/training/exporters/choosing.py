"""From LIBRARY:NAME, as a person says it, to the exported encoder; where files of a hub are fetched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderUnavailable, UnknownEncoder
from lookalike.encoders.onnx_encoder import read_json
from lookalike.training.exporters import image_models, open_clip_models, ruclip, sentence_clip
from lookalike.training.exporters.exported_folder import Parity, Towers, write_exported
from lookalike.training.exporters.image_models import PUBLISHED, RANDOM
from lookalike.training.exporters.weights import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FOLDERS: dict[str, tuple[Callable[..., Towers], str, Sequence[str]]] = {
    "ruclip": (ruclip.open_ruclip, "ai-forever", ruclip.FILES),
    "sentence-transformers": (sentence_clip.open_sentence_clip, "sentence-transformers", sentence_clip.FILES),
}
"""Models that are folders: what opens them, whose they are on the hub, which files count."""

LIBRARIES = ("timm", "torchvision", "open_clip", *_FOLDERS)


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written where. `bytes`: of all files. `dim`: components of a vector."""

    model: str
    folder: Path
    dim: int
    bytes: int
    parity: Parity

    def as_dict(self) -> dict[str, Any]:
        """JSON values; `docs/cli.md` names the keys."""
        return {
            "model": self.model,
            "encoder": str(self.folder),
            "dim": self.dim,
            "bytes": self.bytes,
            "cosine": self.parity.as_dict(),
        }


def export_model(spec: str, folder: Path, *, weights: str = PUBLISHED, side: int | None = None) -> Exported:
    """Write the model as an encoder into `folder`. Arguments and errors as those of `open_model`, `write_exported`."""
    parity = write_exported(folder, open_model(spec, weights=weights, side=side))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Exported(spec, folder, read_json(folder / "config.json")["embed_dim"], size, parity)


def open_model(spec: str, *, weights: str = PUBLISHED, side: int | None = None, endpoint: str | None = None) -> Towers:
    """The towers of `spec`, LIBRARY:NAME.

    timm:NETWORK, torchvision:NETWORK, open_clip:NETWORK/TAG; ruclip:NAME and sentence-transformers:NAME, where NAME is
    a folder, or one that is fetched from the hub (`endpoint` replaces its address). `weights`: "published", "random" or
    the path of a file, of networks; `side`: pixels to look at, of timm's and torchvision's.
    Raises UnknownEncoder, EncoderUnavailable, EncoderBroken, MissingExtra, ValueError for what does not go together.
    """
    library, _, name = spec.partition(":")
    if library not in LIBRARIES or not name:
        raise UnknownEncoder(f'"{spec}" names no model to export', hint=f"say LIBRARY:NAME, of {', '.join(LIBRARIES)}")
    if side and library not in ("timm", "torchvision"):
        raise ValueError(f"the size of pictures of {library} is in its weights")
    if weights not in (PUBLISHED, RANDOM) and not Path(weights).is_file():
        raise EncoderUnavailable(
            f"there is no file of weights {weights}", hint=f"--weights takes {PUBLISHED}, {RANDOM} or a file"
        )
    if library == "timm":
        return image_models.open_timm(name, weights, side)
    if library == "torchvision":
        return image_models.open_torchvision(name, weights, side)
    if library == "open_clip":
        return open_clip_models.open_open_clip(name, weights)
    if weights != PUBLISHED:
        raise ValueError(f"the weights of {library} are in its folder")
    opened, owner, files = _FOLDERS[library]
    folder = Path(name).expanduser()
    return opened(folder if folder.is_dir() else _fetch(f"{owner}/{name}", files, endpoint), folder.name)


def _fetch(repository: str, files: Sequence[str], endpoint: str | None) -> Path:
    """The folder with those files of a repository of the hub, in the hub's own cache. Raises EncoderUnavailable."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, allow_patterns=list(files), endpoint=endpoint))
    except Exception as error:  # network, addresses, rights: the hub's library has an error for each
        raise EncoderUnavailable(
            f"{repository} is no folder here and could not be fetched: {brief(error)}",
            hint="fetch it on another computer and give the path of its folder",
        ) from error
