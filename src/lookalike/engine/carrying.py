"""One file from one place to another so that it is never lost, never overwrites anything, and can be done again.

On one disk the new name is taken first by an empty file, and the file then put in its place in one step. To another
disk it is copied beside the new name, synced, compared with the original byte by byte, put in place in one step, and
only then is the original taken away. Whatever instant the process dies at, all bytes of the file are at one of the two
places, and `carry` with the same arguments finishes.

Links are not followed. Leaves to others to see that the file is the one that was meant.
"""

from __future__ import annotations

import errno
import filecmp
import hashlib
import os
import shutil
import stat
from contextlib import suppress

from lookalike.core.causes import cause_of

_BLOCK = 1 << 20
"""Bytes copied at once."""


class Stays(Exception):
    """The file was not moved; the message says why."""


def carry(source: bytes, target: bytes) -> None:
    """Move the file `source` to the free name `target`, both absolute; folders are made. Raises Stays.

    Called again after it was cut short, it finishes; where it had finished, it does nothing.
    """
    try:
        _carry(source, target)
    except OSError as error:
        raise Stays(f"it cannot be moved ({cause_of(error)})") from error


def is_one_file(source: bytes, target: bytes) -> bool:
    """Whether two names lead to one entry of a disk, through a linked folder or a second mount, so that taking one away
    takes both. Two hard links are two entries. Raises OSError.
    """
    if not _is_file(target) or not os.path.samefile(source, target):
        return False
    return os.lstat(source).st_nlink < 2 or os.path.realpath(source) == os.path.realpath(target)


def _carry(source: bytes, target: bytes) -> None:
    if not os.path.lexists(source):
        if _is_file(target) and os.path.getsize(target):
            return
        raise Stays("the file is not there any more")
    if not _is_file(source):
        raise Stays("it is no file of its own")
    if is_one_file(source, target):
        raise Stays(f"{os.fsdecode(target)} is the file itself, by another way")
    if _is_file(target) and os.path.getsize(target) and _equal(source, target):  # all done but for the last step
        _take_away(source)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    _reserve(source, target)
    try:
        try:
            os.replace(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, target)
            _take_away(source, otherwise=target)
    except BaseException:
        _drop_empty(target)
        raise
    _sync_folder(os.path.dirname(target))
    _sync_folder(os.path.dirname(source))


def _reserve(source: bytes, target: bytes) -> None:
    """Take the name `target` with an empty file; an empty one that is there is left from a call that was cut short."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        if not (_is_file(target) and not os.path.getsize(target) and os.path.getsize(source)):
            raise Stays(f"there is another file at {os.fsdecode(target)}") from None


def _copy(source: bytes, target: bytes) -> None:
    """Put a copy with its times and rights in the place of the empty `target`, sure to be on the disk."""
    part = _part_of(target)
    with suppress(FileNotFoundError):  # of a copy that was cut short: the original is still there
        os.unlink(part)
    try:
        with open(source, "rb") as original, open(part, "xb") as copy:
            shutil.copyfileobj(original, copy, _BLOCK)
            copy.flush()
            os.fsync(copy.fileno())
        with suppress(OSError):  # some disks keep no rights
            shutil.copystat(source, part)
        _refuse_other(source, part)
        os.replace(part, target)
        _sync_folder(os.path.dirname(target))
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


def _part_of(target: bytes) -> bytes:
    """Where the copy that becomes `target` is written: a name of its own, for the longest allow no more behind them."""
    folder, name = os.path.split(target)
    return os.path.join(folder, b".lookalike-%s.part" % hashlib.blake2b(name, digest_size=8).hexdigest().encode())


def _refuse_other(source: bytes, copy: bytes) -> None:
    if not _equal(source, copy):
        raise Stays("the copy is not what was copied; is the disk whole?")


def _take_away(source: bytes, *, otherwise: bytes | None = None) -> None:
    """Remove the original of a copy; where that is not allowed, the copy `otherwise` goes instead."""
    try:
        if os.name == "nt" and not os.access(source, os.W_OK):  # Windows removes no file that is read-only
            os.chmod(source, stat.S_IWRITE)
        os.unlink(source)
    except OSError:
        if otherwise is not None and os.path.lexists(source):  # else the copy is all there is
            os.unlink(otherwise)
        raise


def _drop_empty(target: bytes) -> None:
    with suppress(OSError):
        if not os.path.getsize(target):
            os.unlink(target)


def _is_file(path: bytes) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _equal(one: bytes, other: bytes) -> bool:
    filecmp.clear_cache()
    return os.path.samefile(one, other) or filecmp.cmp(one, other, shallow=False)


def _sync_folder(folder: bytes) -> None:
    """Have the names in a folder on the disk, where a system does that."""
    if os.name == "nt":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
