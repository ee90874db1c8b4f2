"""An encoder computed from another one's vectors by a projection: tuned heads, a learned metric, a PCA.

Its pictures are looked at by the base encoder, and what that sees is projected. So vectors that a collection holds of
the base become vectors of the derived encoder without reading a picture (`derivation`, docs/adr/0013). The folder:

    config.json              "kind": "derived", "base": the id of the base, "embed_dim", "tolerance", "widths", "about"
    visual/projection.npz    matrix float32 (d_in, d_out), bias float32 (d_out,) where there is one
    textual/projection.npz   the same for words; without it the encoder has no words

Promises: vectors of unit length; a folder that does not fit its base is refused where it is opened. Where the base lies
is left to `load`.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import EncoderBroken, NoTextTower
from lookalike.core.wording import Wording
from lookalike.encoders.writing import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from lookalike.core.arrays import HalfVectors, Pixels, Vectors
    from lookalike.core.protocols import Encoder

KIND = "derived"
PARTS = {"image": "visual", "text": "textual"}
PROJECTION = "projection.npz"
ROUNDING = 2.0**-12
"""Largest rounding error of a component below 0.5 when the base's row is stored as float16."""
_EXAMPLES = 512
"""Vectors that a tolerance is measured on: with 128 components the largest of 65,000 deviations."""
_HINT = "make it again, or copy it whole from where it was made"


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """vectors @ matrix + bias, made of unit length again.

    `matrix`: float32 (d_in, d_out). `bias`: float32 (d_out,), None for none. A centred PCA has its centre in the bias:
    (x - mean) @ matrix = x @ matrix - mean @ matrix. Raises ValueError for shapes that do not fit, and numbers that are
    not finite.
    """

    matrix: NDArray[np.float32]
    bias: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        import numpy as np

        bias = None if self.bias is None else np.ascontiguousarray(self.bias, np.float32)
        object.__setattr__(self, "matrix", np.ascontiguousarray(self.matrix, np.float32))
        object.__setattr__(self, "bias", bias)
        if (
            self.matrix.ndim != 2
            or 0 in self.matrix.shape
            or (bias is not None and bias.shape != self.matrix.shape[1:])
        ):
            raise ValueError(
                f"a projection has a matrix (d_in, d_out) and a bias (d_out,), not {self.matrix.shape} and "
                f"{None if bias is None else bias.shape}"
            )
        if not (np.isfinite(self.matrix).all() and (bias is None or np.isfinite(bias).all())):
            raise ValueError("a projection has numbers that are not finite")

    def __call__(self, vectors: Vectors | HalfVectors) -> Vectors:
        """float32 (n, d_out) of unit length, of rows (n, d_in), which are brought to unit length first.

        Raises ValueError where nothing is left of a vector.
        """
        projected = unit_vectors(vectors, self.matrix.shape[0]) @ self.matrix
        if self.bias is not None:
            projected += self.bias
        return unit_vectors(projected)


class Derived:
    """`base` seen through projections; implements `core.protocols.Encoder`. Thread-safe.

    `text` None: it has no words, as with a base that has none. Heads have a projection of their own for words; a metric
    or a PCA is given twice. `widths`: how many of the first components serve alone. `tolerance`: as the folder says.
    Raises EncoderBroken for projections that do not fit the base, or each other.
    """

    def __init__(
        self,
        base: Encoder,
        image: Projection,
        text: Projection | None,
        *,
        name: str,
        id: str,
        widths: Sequence[int] = (),
        tolerance: float | None = None,
    ) -> None:
        for projection in (image, text):
            if projection is not None and projection.matrix.shape != (base.dim, image.matrix.shape[1]):
                raise EncoderBroken(
                    f"{name} projects {projection.matrix.shape[0]} components to {projection.matrix.shape[1]}: "
                    f"wanted {base.dim} of {base.name} to {image.matrix.shape[1]}",
                    hint=_HINT,
                )
        self.base = base
        self.name = name
        self.id = id
        self.dim = int(image.matrix.shape[1])
        self.widths = tuple(width for width in widths if width < self.dim)
        self.tolerance = measured_tolerance(image, base) if tolerance is None else tolerance
        self._image = image
        self._text = text

    @property
    def modalities(self) -> frozenset[str]:
        return self.base.modalities - (frozenset({"text"}) if self._text is None else frozenset())

    @property
    def image_side(self) -> int:
        return self.base.image_side

    @property
    def fit(self) -> Callable[[Image], Image] | None:
        """That of the base, None where it has none."""
        fit: Callable[[Image], Image] | None = getattr(self.base, "fit", None)
        return fit

    def encode_images(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises EncoderBroken."""
        return self.derive(self.base.encode_images(pictures))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises NoTextTower, EncoderBroken."""
        if self._text is None:
            raise self._wordless()
        return self.derive_texts(self.base.encode_texts(texts))

    def derive(self, rows: Vectors | HalfVectors) -> Vectors:
        """Vectors of pictures, (n, dim), from those that the base made of them, (n, base.dim). Raises EncoderBroken."""
        return self._projected(self._image, rows)

    def derive_texts(self, rows: Vectors) -> Vectors:
        """Vectors of texts, (n, dim), from those that the base made of them. Raises EncoderBroken, NoTextTower."""
        if self._text is None:
            raise self._wordless()
        return self._projected(self._text, rows)

    def _wordless(self) -> NoTextTower:
        return NoTextTower(Wording("only_pictures", name=self.name), hint=Wording("search_with_picture"))

    def _projected(self, projection: Projection, rows: Vectors | HalfVectors) -> Vectors:
        try:
            return projection(rows)
        except ValueError as error:
            raise EncoderBroken(f"{self.name} makes no vector of one of {self.base.name}: {error}") from error


def measured_tolerance(image: Projection, base: Encoder, examples: Vectors | None = None) -> float:
    """How far a component may lie from another run's, or from one made of a stored row.

    Measured: the largest difference that deviations make which the base allows, and rounding to float16, on `examples`,
    vectors of the base, (n, base.dim); on random directions without them.
    """
    import numpy as np

    random = np.random.default_rng(0)
    if examples is None:
        examples = random.standard_normal((_EXAMPLES, base.dim)).astype(np.float32)
    rows = unit_vectors(examples[:: max(len(examples) // _EXAMPLES, 1)], base.dim)
    allowed = base.tolerance + ROUNDING
    moved = rows + random.uniform(-allowed, allowed, rows.shape).astype(np.float32)
    return float(np.abs(image(moved) - image(rows)).max())


def write_derived(
    folder: Path,
    *,
    base: Encoder,
    image: Projection,
    text: Projection | None,
    about: Mapping[str, Any],
    widths: Sequence[int] = (),
    examples: Vectors | None = None,
) -> None:
    """Write the encoder into `folder`, whole or not at all; what lay there of an encoder is replaced.

    `text` None: no words; the same projection as `image` where one serves both. `about`: JSON values, how it was made;
    they are part of what the id is a digest of. `widths`: how many of the first components serve alone, as a PCA's do.
    `examples`: vectors of the base on which the tolerance is measured. Raises EncoderBroken as `Derived` does.
    """
    import numpy as np

    Derived(base, image, text, name=folder.absolute().name, id="", tolerance=0.0)
    config = {
        "kind": KIND,
        "base": base.id,
        "embed_dim": int(image.matrix.shape[1]),
        "tolerance": measured_tolerance(image, base, examples),
        "widths": [int(width) for width in widths],
        "about": dict(about),
    }
    with replacing(folder, config) as partial:
        for part, projection in (("image", image), ("text", text)):
            if projection is not None:
                arrays: dict[str, Any] = {"matrix": projection.matrix}
                if projection.bias is not None:
                    arrays["bias"] = projection.bias
                (partial / PARTS[part]).mkdir()
                np.savez(partial / PARTS[part] / PROJECTION, **arrays)


def open_derived(folder: Path, config: Mapping[str, Any], base: Encoder, *, name: str, id: str) -> Derived:
    """The encoder that `write_derived` put into `folder`. Raises EncoderBroken for files that do not make one."""
    image = _read(folder / PARTS["image"] / PROJECTION)
    path = folder / PARTS["text"] / PROJECTION
    text = _read(path) if path.is_file() else None
    try:
        tolerance = float(config["tolerance"]) if "tolerance" in config else None
        widths = [int(width) for width in config.get("widths") or ()]
    except (TypeError, ValueError) as error:
        raise EncoderBroken(f"{folder / 'config.json'} makes no sense: {error}", hint=_HINT) from error
    return Derived(base, image, text, name=name, id=id, widths=widths, tolerance=tolerance)


def base_of(config: Mapping[str, Any], folder: Path) -> str:
    """The id of the base as config.json says it. Raises EncoderBroken."""
    base = config.get("base")
    if not isinstance(base, str):
        raise EncoderBroken(f"{folder / 'config.json'} does not name its base", hint=_HINT)
    return base


def _read(path: Path) -> Projection:
    import numpy as np

    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return Projection(arrays["matrix"], arrays.get("bias"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise EncoderBroken(f"{path} holds no projection: {error}", hint=_HINT) from error
