"""Every error lookalike raises on purpose, in one small tree.

    LookalikeError
    ├── SourceError            a place pictures come from cannot be read
    ├── CannotDecode           one file is not a picture we can take
    ├── EncoderError
    │   ├── UnknownEncoder     no such name in the catalogue, no such folder
    │   ├── EncoderUnavailable the files are not here and could not be fetched
    │   ├── EncoderBroken      the files are here and wrong
    │   └── NoTextTower        words asked of an encoder that only knows pictures
    ├── CollectionError
    │   ├── CollectionNotFound
    │   ├── CollectionBusy     another process is writing; carries its process id
    │   ├── CollectionDamaged
    │   ├── CollectionTooNew   written by a later lookalike
    │   ├── CollectionReadOnly
    │   ├── OutOfSpace         the disk is full or a size limit was met
    │   ├── EncoderMismatch    the collection was made with another encoder
    │   ├── RemoteUnavailable  the engine that holds the collection does not answer
    │   ├── RemoteRefused      it answers that it will not do what was asked
    │   └── NotForRemote       what only a collection on this computer can do
    ├── IndexUnusable          an index file is missing, damaged or made for other rows; carries why
    ├── QueryError             a query that cannot be answered as written
    │   └── FilterError        a filter that cannot be understood; carries where
    ├── ClusterError           machines that were to encode pictures cannot, or gave up
    ├── ServiceError           a running service refused or did not answer; carries status and code
    └── MissingExtra           an optional part is not installed; carries the install line

Each message says what happened and to what; `hint` says what to do next. Interfaces (CLI, service)
turn them into exit codes and statuses in one place. Wrong arguments from a programmer stay `ValueError`.

What a visitor of the page can meet is given as a `Wording`, which has words in three languages; `str(error)` and `hint`
are English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core import wording

if TYPE_CHECKING:
    from typing import Any

    from lookalike.core.wording import Said, Wording


class LookalikeError(Exception):
    """Base of the tree. `str(error)` is for a person; `hint` is the next step, or ''. `said`: both, as given."""

    def __init__(self, message: str | Wording, *, hint: str | Wording = "") -> None:
        super().__init__(str(message))
        self.hint = str(hint)
        self.said: Said = (message, hint)

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, whatever its class is made with: errors come from other processes and machines too."""
        return _made_anew, (type(self), self.args), self.__dict__


def _made_anew(kind: type[LookalikeError], args: tuple[Any, ...]) -> LookalikeError:
    return kind.__new__(kind, *args)


class SourceError(LookalikeError):
    """A folder, catalogue or archive cannot be read at all."""


class CannotDecode(LookalikeError):
    """One file cannot be taken as a picture. `code` is a stable short word, the message is for a person."""

    def __init__(self, code: str, message: str | Wording, *, hint: str | Wording = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class EncoderError(LookalikeError):
    """Something about an encoder."""


class UnknownEncoder(EncoderError):
    """No encoder of that name, and no folder of that path."""


class EncoderUnavailable(EncoderError):
    """The encoder's files are not on this computer and could not be fetched."""


class EncoderBroken(EncoderError):
    """The encoder's files are on this computer but do not make an encoder."""


class NoTextTower(EncoderError):
    """Words were given to an encoder that only understands pictures."""


class CollectionError(LookalikeError):
    """Something about a collection on disk."""


class CollectionNotFound(CollectionError):
    """There is no collection at that path."""


class CollectionBusy(CollectionError):
    """Another process is writing to the collection, or to a folder of shards.

    `pid` is its process id, or None when unreadable.
    """

    def __init__(self, message: str | Wording, *, pid: int | None, hint: str | Wording = "") -> None:
        super().__init__(message, hint=hint)
        self.pid = pid


class CollectionDamaged(CollectionError):
    """Files of the collection contradict each other."""


class CollectionTooNew(CollectionError):
    """The collection was written by a later version of lookalike."""


class CollectionReadOnly(CollectionError):
    """The collection, or the disk under it, does not allow writing."""


class OutOfSpace(CollectionError):
    """The disk is full, or a file-size limit was met; what was committed before stays."""


class EncoderMismatch(CollectionError):
    """The collection was made with another encoder than the one asked for."""


class RemoteUnavailable(CollectionError):
    """The engine that holds the collection did not answer in time; what it had confirmed stays."""


class RemoteRefused(CollectionError):
    """The engine that holds the collection refused: a wrong password, too little space, something not made by us."""


class NotForRemote(CollectionError):
    """Only a collection on this computer can do that; the hint says what to do instead."""


class IndexUnusable(LookalikeError):
    """An index file cannot be trusted: set it aside and build it again. `reason` is a stable short word."""

    def __init__(self, reason: str, message: str | Wording, *, hint: str | Wording = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class QueryError(LookalikeError):
    """A query cannot be answered as written."""


class FilterError(QueryError):
    """A filter cannot be understood. `position` counts characters from 0; the message shows the place with a caret."""

    def __init__(self, message: str | Wording, *, position: int, hint: str | Wording = "") -> None:
        super().__init__(message, hint=hint)
        self.position = position


class ClusterError(LookalikeError):
    """Machines that were to encode pictures cannot be reached, cannot do it, or gave up. What is finished is kept."""


class ServiceError(LookalikeError):
    """A service refused a request. `status`: of HTTP, 0 without an answer; `code` is a stable short word."""

    def __init__(self, message: str, *, status: int, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code


class MissingExtra(LookalikeError):
    """An optional part is not installed. `extra` is its name, as in `pip install "lookalike[extra]"`."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(wording.Wording("needs_part", what=what), hint=f'pip install "lookalike[{extra}]"')
        self.extra = extra
