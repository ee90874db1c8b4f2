"""Found pictures gathered in one folder, as copies or links: rank in front of the name, nothing ever overwritten."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from lookalike.cli import printing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookalike.core.records import Hit


def gather(hits: Iterable[Hit], folder: str, *, link: bool) -> None:
    """Copy or link the files of `hits` into `folder` (made when missing) as `01-name.jpg`; says what became of each.

    Files that are not there any more are named and left out. Raises OSError when `folder` cannot be written.
    """
    target = os.path.abspath(os.path.expanduser(folder))
    os.makedirs(target, exist_ok=True)
    gathered = 0
    for hit in hits:
        if not os.path.isfile(hit.uri):
            printing.note(f"{printing.printable(hit.uri)} is not there now, left out")
            continue
        place = _free_name(target, f"{hit.rank:02d}-{os.path.basename(hit.uri)}")
        if link:
            os.symlink(hit.uri, place)
        else:
            shutil.copy2(hit.uri, place)
        gathered += 1
    verb = "linked" if link else "copied"
    printing.note(f"{printing.count(gathered, 'picture')} {verb} to {printing.printable(target)}")


def _free_name(folder: str, name: str) -> str:
    """A path in `folder` that does not exist: `name`, or `name` with a number before its suffix."""
    stem, suffix = os.path.splitext(name)
    place = os.path.join(folder, name)
    number = 2
    while os.path.lexists(place):
        place = os.path.join(folder, f"{stem}-{number}{suffix}")
        number += 1
    return place
