"""What an engine elsewhere does for a collection: it keeps items, and finds those near a vector or with some words.

It does the coarse work only: everything a person sees of it (order, relevance, what shares a place) is made of its
candidates by the code of local collections. One suite, `tests/contracts/test_remote_engine.py`, holds for every engine.

Every engine promises:
- Thread-safe. Every call ends: within `timeout_s` a try, and tries are few; what may be tried again is (reads, and
  writes by id, which leave the same when done twice).
- `RemoteUnavailable` when it does not answer in that time, `RemoteRefused` when it answers that it will not (a wrong
  password, something that is not a collection of ours, what does not fit). No password in any message.
- What it has confirmed stays, and the next call of the same process sees it.
- Texts and keys come back as they were given: they may hold NUL, and lone surrogates (names of files that are not
  text). Metadata are JSON values. A vector comes back as the float16 it was given.
- A filter means what `core.conditions` says, to the last case. A node that the engine cannot be asked is a FilterError
  that names it: never an answer without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookalike.core.arrays import HalfVectors, Vectors
    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind

PAGE = 1000
"""Items that `items` fetches at once, and that callers upsert at once: some megabytes."""


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """One place where a picture is seen, with all that is known about it.

    `root`: path or address the user named, and `key`: the name below it, both bytes as in core's Asset; `uri` as hits
    show it. `metadata`: all that is known (what filters see); `picture_metadata`: that part of it which the bytes say.
    `stems`: what its words are found by, distinct, without blanks (`store.word_forms`); `names`: whole texts, each as
    one word, by which it is named exactly. `vector`: float16 (dim,) of unit length; None where it was not asked for.
    """

    id: str
    uri: str
    root: bytes
    key: bytes
    size: int
    modified_ns: int
    bytes_digest: bytes | None
    pixels_digest: bytes | None
    width: int | None
    height: int | None
    format: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    picture_metadata: Mapping[str, Any] = field(default_factory=dict)
    stems: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    vector: HalfVectors | None = None

    @property
    def picture(self) -> bytes | None:
        """What the items that show one picture have in common; None where it is not known."""
        return self.pixels_digest or self.bytes_digest


@dataclass(frozen=True, slots=True)
class Found:
    """An item that was found, with its vector. `score`: its cosine, or of words the engine's own number."""

    item: RemoteItem
    score: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Which items may answer: those that meet `condition`, and whose `uri` is `below`, or inside it.

    `declared`: the columns of catalogues, which `core.conditions.place_of` and the kinds of values need. `below`: an
    absolute native path, or an address, in bytes (`os.fsencode` of a uri), compared by whole path components; of an
    address of object storage the separator is "/".
    """

    condition: Condition | None = None
    declared: Mapping[str, FieldKind] = field(default_factory=dict)
    below: bytes | None = None


@dataclass(frozen=True, slots=True)
class RemoteFacts:
    """A collection as the engine holds it.

    `generation` grows with every change of items or settings, by whomever (nanoseconds of the last change will do).
    `server`: the engine's name and version. `index`: the kind that serves now, "exact" for none.
    """

    encoder_id: str
    encoder_name: str
    dim: int
    count: int = 0
    generation: int = 0
    server: str = ""
    index: str = ""


class RemoteEngine(Protocol):
    """One collection on an engine elsewhere. Made by `connect` of the engine's module, which asks nothing yet."""

    @property
    def address(self) -> str:
        """Where it is, for a person, without any password: `milvus://host:19530/shop`."""
        ...

    def describe(self) -> RemoteFacts | None:
        """The collection as it is now; None when there is none of that name."""
        ...

    def create(self, facts: RemoteFacts) -> None:
        """Make the collection for an encoder's vectors, empty; one that is there with this encoder is left as it is.

        Raises EncoderMismatch for one with another.
        """
        ...

    def drop(self) -> None:
        """Remove the collection and all it holds; nothing where there is none."""
        ...

    def entries(self, name: str) -> dict[str, Any]:
        """The JSON values kept beside the items under a name, each under a key; they may be megabytes."""
        ...

    def set_entries(self, name: str, values: Mapping[str, Any]) -> None:
        """Keep JSON values under keys of a name; None removes one. Other keys stay as they are.

        So two that write at once lose nothing of each other; of one key both set, the later value counts.
        """
        ...

    def upsert(self, items: Sequence[RemoteItem]) -> None:
        """Put items, up to `PAGE`, all with vectors, in place of those with their ids. Twice is as once."""
        ...

    def delete(self, ids: Iterable[str]) -> None:
        """Remove items; ids that are not there are left out."""
        ...

    def get(self, ids: Iterable[str], *, vectors: bool = False) -> list[RemoteItem]:
        """The items of those ids that are there, in any order."""
        ...

    def of_pictures(self, pictures: Sequence[bytes], *, asked: Asked | None = None) -> list[RemoteItem]:
        """All items whose `picture` is one of some, up to `PAGE` of these, without vectors, in any order."""
        ...

    def nearest(
        self, vectors: Vectors, k: int, *, asked: Asked | None = None, effort: int | None = None
    ) -> list[list[Found]]:
        """The `k` items nearest to each of the unit vectors (q, dim), best first, fewer where no more may answer.

        With their vectors. `effort`: how hard the engine's index searches; None takes what its recall needs. Under a
        filter recall must hold as well: where few items may answer, they are compared all.
        """
        ...

    def with_stems(self, stems: Sequence[str], k: int, *, asked: Asked | None = None) -> list[Found]:
        """Up to `k` items that have any of the stems, or are named by one (`names`), those with the rarest and most of
        them first, as the engine's own full text (BM25 where it has it) ranks them. With their vectors.
        """
        ...

    def count_with(self, stems: Sequence[str]) -> dict[str, int]:
        """How many items have each of the stems; an engine that can only estimate may."""
        ...

    def items(
        self, *, asked: Asked | None = None, vectors: bool = False, after: str | None = None
    ) -> Iterator[RemoteItem]:
        """All items in the order of their ids as UTF-8 (surrogates pass), behind the id `after`; read in pages."""
        ...

    def count(self, asked: Asked | None = None) -> int:
        """How many items may answer."""
        ...

    def build_index(self, *, again: bool = False) -> None:
        """Build what the number of items asks for, if it is not there; `again` in any case. Ends when it serves."""
        ...

    def explain(self) -> list[str]:
        """How searches are served, and why: sentences."""
        ...

    def close(self) -> None:
        """Let go of connections; further calls fail."""
        ...
