"""Contracts with more than one real implementation. Each has one suite in `tests/contracts/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.core.arrays import Pixels, RowMask, Rows, Scores, Vectors
    from lookalike.core.records import Asset, Skipped


class Source(Protocol):
    """Where pictures come from. Picklable: decoding happens in worker processes."""

    def assets(self) -> Iterator[Asset | Skipped]:
        """Entries in a stable order, without reading contents. A bad entry is a `Skipped`, never an exception.

        Raises SourceError when the source itself cannot be read.
        """
        ...

    def open(self, asset: Asset) -> BinaryIO:
        """A binary stream of the entry's bytes. Raises OSError."""
        ...

    def stamp(self, asset: Asset) -> tuple[int, int]:
        """Size in bytes and time of change, UTC nanoseconds since 1970, of the entry as it is now. Raises OSError."""
        ...


class Encoder(Protocol):
    """Turns pictures, and mostly words, into unit vectors of one space. No network.

    A batch equals its singles within `tolerance` (largest absolute difference of a component).

    An encoder may also have `fit`: a picklable function from a PIL image in mode RGB to the one `encode_images` would
    make of it first. Whoever decodes in other processes does it there; the vectors are the same.
    """

    @property
    def id(self) -> str:
        """Name plus digest of weights and preprocessing: vectors of equal ids are comparable."""
        ...

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def modalities(self) -> frozenset[str]:
        """Of "image" and "text"."""
        ...

    @property
    def image_side(self) -> int:
        """The side in pixels the image tower looks at: decoding needs no more than twice this."""
        ...

    @property
    def tolerance(self) -> float: ...

    def encode_images(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises NoTextTower."""
        ...


class VectorIndex(Protocol):
    """Nearest neighbours over rows. Thread-safe; never alters its inputs or its own settings."""

    @property
    def dim(self) -> int: ...

    @property
    def count(self) -> int: ...

    @property
    def exact(self) -> bool: ...

    def search(
        self, queries: Vectors, k: int, *, allowed: RowMask | None = None, effort: int | None = None
    ) -> tuple[Rows, Scores]:
        """Rows (q, k) and cosine scores (q, k), best first, ties by lower row, padded with -1 and -inf."""
        ...
