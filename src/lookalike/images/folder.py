"""A folder as a source of pictures: found by walking, in a stable order, without reading them.

What is taken: every regular file whose name has a picture's suffix, and every file with no suffix or an
unknown one whose first bytes are a picture's. A file whose suffix says that it is something else (text, film,
sound, program, ...) is no candidate and not reported; nor are hidden files and folders (a leading dot), what
`.lookalikeignore` files and `exclude` name, and folders called `*.lookalike`, which are collections. Everything
else that looks like a picture and cannot be taken is a `Skipped` with its reason.

Links: a link to a file is a file; a link to a folder is followed unless that folder is seen anyway, so each
folder is walked once and loops end. Folders reached by links come after all others.

A camera RAW file beside the JPEG or HEIC of the same shot is no entry of its own but stands in that one's `stack`,
unless it is asked for by its own name. Sidecars and stacks: `beside.py`; found by name, and read only on demand.

Promises: memory grows with the number of folders and of entries in one folder, not of files; one `stat` per
candidate. Names are bytes throughout: they need not be text.
"""

from __future__ import annotations

import errno
import hashlib
import mimetypes
import os
import stat
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from lookalike.core.causes import cause_of
from lookalike.core.errors import SourceError
from lookalike.core.fields import BESIDE, STACK
from lookalike.core.records import Asset, Skipped
from lookalike.images.beside import NOTHING, Beside, beside
from lookalike.images.ignore import IGNORE_FILE, IgnoreRules
from lookalike.images.sniff import HEAD_BYTES, PICTURE_SUFFIXES, RAW_SUFFIXES, picture_format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_COLLECTION_SUFFIX = b".lookalike"
_TAKEN_SUFFIXES = PICTURE_SUFFIXES | RAW_SUFFIXES
_BESIDE_DIGEST_BYTES = 4
"""It is compared with the one of the same item alone: one change in four thousand million goes unnoticed."""
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
"""Not to wait for a writer, should the file have become a pipe since it was found."""


def folder(
    root: bytes | str | Path, *, exclude: Sequence[str] = (), below: bytes = b"", hidden: bool = False
) -> FolderSource:
    """The pictures in a folder, or one picture file.

    `exclude`: patterns in gitignore syntax, relative to the root. `below`: the key of a subfolder or file to
    which the walk is limited. `hidden`: take hidden files and folders too.
    """
    path = os.path.expanduser(os.fsencode(root))
    return FolderSource(_absolute(path), tuple(exclude), below.strip(b"/"), hidden)


@dataclass(frozen=True, slots=True)
class FolderSource:
    """See `folder`. `root` is absolute, as it was given: links in it are not resolved."""

    root: bytes
    exclude: tuple[str, ...] = ()
    below: bytes = b""
    hidden: bool = False

    def assets(self, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Asset | Skipped]:
        """Entries folder by folder, sorted by name. Raises SourceError when the root or `exclude` cannot be read.

        `stop` is asked at every entry, also where nothing is a picture; once it is true, the walk ends where it is.
        """
        try:
            status = os.stat(self.root)
        except OSError as error:
            raise SourceError(
                f"{os.fsdecode(self.root)} cannot be read: {cause_of(error)}",
                hint="is the path right, the disk there?",
            ) from error
        if stat.S_ISDIR(status.st_mode):
            rules = IgnoreRules().with_patterns(b"", self.exclude) if self.exclude else IgnoreRules()
            return _Walk(self, stop).run(rules)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"{os.fsdecode(self.root)} is neither a folder nor a file")
        return iter([self._alone(status)])

    def open(self, asset: Asset) -> BinaryIO:
        """The file's bytes. Raises OSError, also when it is no regular file (any more)."""
        return open_regular(self.path(asset.key))

    def stamp(self, asset: Asset) -> tuple[int, int]:
        """Size and time of change of the file as they are now. Raises OSError."""
        found = os.stat(self.path(asset.key))
        return found.st_size, found.st_mtime_ns

    def said_by_place(self, asset: Asset) -> dict[str, Any]:
        """What name, time and sidecars of an entry say, read now, as the metadata of its place; see `sidecars.py`."""
        from lookalike.images.sidecars import LARGEST_BYTES, said_by_place

        path = self.path(asset.key)
        contents = []
        for name in asset.sidecars:
            with suppress(OSError), open_regular(os.path.join(os.path.dirname(path), name)) as stream:
                contents.append((os.fsdecode(name), stream.read(LARGEST_BYTES)))
        said = said_by_place(os.fsdecode(os.path.basename(path)), asset.modified_ns, contents)
        if asset.stack:
            said[STACK] = [os.fsdecode(name) for name in asset.stack]
        return {**said, BESIDE: asset.beside} if asset.beside else said

    def path(self, key: bytes) -> bytes:
        """The native absolute path of a key."""
        if not key:
            return self.root
        return os.path.join(self.root, key if os.sep == "/" else key.replace(b"/", os.fsencode(os.sep)))

    def _alone(self, status: os.stat_result) -> Asset:
        """The one picture file that the root is."""
        place, name = os.path.split(self.root)
        entries = {}
        with suppress(OSError), os.scandir(place) as listing:
            entries = {entry.name: entry for entry in listing}
        return _asset(b"", self.root, status, _told(name, beside(entries), entries))


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to be walked. `prefix` is its key and a slash; b"" for the root."""

    prefix: bytes
    path: bytes
    rules: IgnoreRules


class _Told(NamedTuple):
    """What lies beside a file: see `Asset`."""

    sidecars: tuple[bytes, ...] = ()
    stack: tuple[bytes, ...] = ()
    digest: str = ""


_ALONE = _Told()


@dataclass(slots=True)
class _Walk:
    """One walk. `seen`: the identities of the folders walked so far. `linked`: linked folders, left for the end."""

    source: FolderSource
    stop: Callable[[], bool]
    seen: set[tuple[int, int] | bytes] = field(default_factory=set)
    linked: deque[_Folder] = field(default_factory=deque)

    def run(self, rules: IgnoreRules) -> Iterator[Asset | Skipped]:
        self.linked.append(_Folder(b"", self.source.root, rules))
        while self.linked:
            yield from self._tree(self.linked.popleft())

    def _tree(self, top: _Folder) -> Iterator[Asset | Skipped]:
        """Depth first, with a stack of our own: folders may be nested deeper than Python's calls."""
        stack = [self._listing(top)]
        while stack:
            found = next(stack[-1], None)
            if found is None:
                stack.pop()
            elif isinstance(found, _Folder):
                stack.append(self._listing(found))
            else:
                yield found

    def _listing(self, place: _Folder) -> Iterator[Asset | Skipped | _Folder]:
        """What lies directly in a folder that has not been walked yet, by name."""
        try:
            identity = _identity(place.path)
            if identity in self.seen:
                return
            self.seen.add(identity)
            with os.scandir(place.path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
            rules = place.rules
            if any(entry.name == IGNORE_FILE for entry in entries):
                rules = rules.with_file(place.prefix, os.path.join(place.path, IGNORE_FILE))
        except (OSError, SourceError) as error:
            yield _skipped(place.prefix.rstrip(b"/"), place.path, error, folder=True)
            return
        together = beside(entry.name for entry in entries)
        by_name = {} if together is NOTHING else {entry.name: entry for entry in entries}
        for entry in entries:
            if self.stop():
                return
            key = place.prefix + entry.name
            if (shown := together.behind.get(entry.name)) is None or self._shows_itself(
                key, place.prefix + shown, rules
            ):
                yield from self._look_at(entry, key, rules, _told(entry.name, together, by_name))

    def _shows_itself(self, key: bytes, before: bytes, rules: IgnoreRules) -> bool:
        """Whether a file behind another is an entry all the same: it was asked for, or the other one is left out."""
        return self.source.below == key or rules.ignores(before, folder=False)

    def _look_at(
        self, entry: os.DirEntry[bytes], key: bytes, rules: IgnoreRules, told: _Told
    ) -> Iterator[Asset | Skipped | _Folder]:
        below, name = self.source.below, entry.name
        on_the_way = bool(below) and (below + b"/").startswith(key + b"/")
        if below and not on_the_way and not key.startswith(below + b"/"):
            return
        if name.startswith(b".") and not (self.source.hidden or on_the_way):
            return
        if not _is_folder(entry):
            if below in (b"", key) or not on_the_way:
                yield from _file(entry, key, rules, told)
            return
        if name.endswith(_COLLECTION_SUFFIX) or rules.ignores(key, folder=True):
            return
        if _suffix(name) in _TAKEN_SUFFIXES:
            reason = "a folder with a picture's name; the pictures in it are taken"
            yield Skipped(os.fsdecode(entry.path), reason, "not-a-file", key)
        child = _Folder(key + b"/", entry.path, rules)
        if entry.is_symlink():
            self.linked.append(child)
        else:
            yield child


def _file(entry: os.DirEntry[bytes], key: bytes, rules: IgnoreRules, told: _Told) -> Iterator[Asset | Skipped]:
    """The entry, if it is a candidate."""
    suffix = _suffix(entry.name)
    named = suffix in _TAKEN_SUFFIXES
    if (not named and _says_something_else(suffix)) or rules.ignores(key, folder=False):
        return
    try:
        status = entry.stat()
        regular = stat.S_ISREG(status.st_mode)
        if regular and (named or _looks_like_picture(entry.path)):
            yield _asset(key, entry.path, status, told)
        elif named and not regular:
            yield Skipped(os.fsdecode(entry.path), "not a regular file but a pipe, socket or device", "not-a-file", key)
    except FileNotFoundError as error:
        if named and entry.is_symlink():  # otherwise it was deleted just now
            yield _skipped(key, entry.path, error, code="broken-link")
    except OSError as error:
        yield _skipped(key, entry.path, error)


def _asset(key: bytes, path: bytes, status: os.stat_result, told: _Told) -> Asset:
    size, modified_ns = status.st_size, status.st_mtime_ns
    return Asset(key, os.fsdecode(path), size, modified_ns, {}, told.sidecars, told.stack, told.digest)


def _told(name: bytes, together: Beside, entries: Mapping[bytes, os.DirEntry[bytes]]) -> _Told:
    """What lies beside the file `name`, and a digest that changes with it."""
    sidecars, stack = together.sidecars.get(name, ()), together.stacks.get(name, ())
    if not sidecars and not stack:
        return _ALONE
    running = hashlib.blake2b(digest_size=_BESIDE_DIGEST_BYTES)
    for each in (*sidecars, *stack):
        with suppress(OSError):
            status = entries[each].stat()
            running.update(repr((each, status.st_size, status.st_mtime_ns)).encode())
    return _Told(sidecars, stack, running.hexdigest())


def _skipped(key: bytes, path: bytes, error: Exception, *, code: str = "", folder: bool = False) -> Skipped:
    what = "the folder cannot be listed" if folder else "the file cannot be looked at"
    reason = f"{what}: {cause_of(error)}"
    return Skipped(os.fsdecode(path), reason, code or unreadable_code(error), key, folder)


def unreadable_code(error: Exception) -> str:
    """The stable word for why the system would not let us at a file."""
    number = error.errno if isinstance(error, OSError) else None
    return {errno.ENAMETOOLONG: "path-too-long", errno.ELOOP: "broken-link", errno.ENOENT: "vanished"}.get(
        number or 0, "unreadable"
    )


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _identity(path: bytes) -> tuple[int, int] | bytes:
    """What a folder is, however it was reached. Some network file systems number nothing: then its real path."""
    status = os.stat(path)
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)


def _suffix(name: bytes) -> bytes:
    return os.path.splitext(name)[1].lower()


@cache
def _says_something_else(suffix: bytes) -> bool:
    """Whether a suffix is well known and no picture's, so that the file is not even opened."""
    kind, _ = mimetypes.MimeTypes().guess_type("name" + os.fsdecode(suffix))
    return kind is not None and not kind.startswith("image/") and kind != "application/octet-stream"


def _looks_like_picture(path: bytes) -> bool:
    with open_regular(path) as stream:
        return picture_format(stream.read(HEAD_BYTES)) is not None


def open_regular(path: bytes) -> BinaryIO:
    """The bytes of a file. Raises OSError, also for what is no regular file."""
    descriptor = os.open(path, _OPEN_FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", os.fsdecode(path))
    return os.fdopen(descriptor, "rb")


def _absolute(path: bytes) -> bytes:
    """Absolute without resolving links; `..` stays, because after a link it means something else."""
    joined = os.path.join(os.getcwdb(), path)
    return joined if b".." in joined.replace(b"\\", b"/").split(b"/") else os.path.normpath(joined)
