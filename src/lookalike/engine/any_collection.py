"""What every collection does, wherever it lies: the command line and the service hold collections by this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, Unpack

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO, Self

    from lookalike.core.protocols import Encoder
    from lookalike.core.records import DecodeLimits, Results
    from lookalike.engine.asking import SearchOptions
    from lookalike.engine.duplicates import Duplicates
    from lookalike.engine.fields import FieldFacts
    from lookalike.engine.given_vectors import Embeddings
    from lookalike.engine.paths import PathLike
    from lookalike.engine.reports import SyncEvent, VerifyReport
    from lookalike.engine.sharding import Sharding
    from lookalike.images.catalogue_plan import CatalogueOptions
    from lookalike.store.collection_store import Failure, ItemRecord


class AnyCollection(Protocol):
    """Each method as in `engine.collection.Collection`."""

    @property
    def place(self) -> str:
        """Where it lies, for a person: its directory, or its address without any password."""
        ...

    @property
    def thumbnails(self) -> Path | None: ...

    @property
    def duplicates(self) -> Duplicates: ...

    @property
    def encoder(self) -> Encoder: ...

    @property
    def generation(self) -> int: ...

    def status(self) -> dict[str, Any]: ...

    def failures(self) -> list[Failure]: ...

    def item(self, given: str) -> dict[str, Any]: ...

    def find_item(self, given: str) -> ItemRecord: ...

    def open_item(self, given: str) -> tuple[ItemRecord, BinaryIO]: ...

    def fields(self, where: str | None = None, *, most: int = ..., names: Sequence[str] = ...) -> list[FieldFacts]: ...

    def sync(
        self,
        paths: Sequence[PathLike] = ...,
        *,
        exclude: Sequence[str] | None = ...,
        check_content: bool = ...,
        retry_failed: bool = ...,
        settled_s: float = ...,
        limits: DecodeLimits | None = ...,
        workers: int | None = ...,
        catalogue: CatalogueOptions | None = ...,
        embeddings: Embeddings | None = ...,
        sharding: Sharding | None = ...,
        index: Literal["now", "background", "later"] = ...,
        stop: threading.Event | None = ...,
    ) -> Iterator[SyncEvent]: ...

    def remove(self, path: PathLike) -> int: ...

    def search(self, query: Any, k: int = ..., **options: Unpack[SearchOptions]) -> Results: ...

    def search_many(self, queries: Iterable[Any], k: int = ..., **options: Unpack[SearchOptions]) -> list[Results]: ...

    def search_page(
        self, query: Any, k: int = ..., *, after: str | None = ..., **options: Unpack[SearchOptions]
    ) -> Results: ...

    def verify(self, *, sample: int = ..., seed: int = ...) -> VerifyReport: ...

    def explain_index(self) -> str: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
