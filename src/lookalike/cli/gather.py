"""Found pictures gathered in one folder, as copies or links: rank in front of the name, nothing ever overwritten."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from lookalike.cli import printing
from lookalike.core.causes import cause_of
from lookalike.core.errors import LookalikeError
from lookalike.engine.sources import open_uri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookalike.core.records import Hit


def gather(hits: Iterable[Hit], folder: str, *, link: bool) -> None:
    """Copy or link the files of `hits` into `folder` (made when missing) as `01-name.jpg`; says what became of each.

    Pictures in archives and in object storage are copied out of them; what cannot be had is named and left out. Raises
    OSError when `folder` cannot be written.
    """
    target = os.path.abspath(os.path.expanduser(folder))
    os.makedirs(target, exist_ok=True)
    gathered = 0
    for hit in hits:
        if os.path.isfile(hit.uri) and not os.access(hit.uri, os.R_OK):
            printing.note(f"{printing.printable(hit.uri)} may not be read, left out")
            continue
        place = _free_name(target, f"{hit.rank:02d}-{os.path.basename(hit.uri)}")
        if os.path.isfile(hit.uri) and link:
            os.symlink(hit.uri, place)
        elif os.path.isfile(hit.uri):
            shutil.copy2(hit.uri, place)
        elif why := _fetch(hit.uri, place, link=link):
            printing.note(f"{printing.printable(hit.uri)} {why}, left out")
            continue
        gathered += 1
    verb = "linked" if link else "copied"
    printing.note(f"{printing.count(gathered, 'picture')} {verb} to {printing.printable(target)}")


def _fetch(uri: str, place: str, *, link: bool) -> str:
    """Copy what is no file of its own to `place`; why that cannot be, "" when it is done."""
    if os.path.isabs(uri):
        return "is not there now"
    if uri.lower().startswith(("http://", "https://")):
        return "lies on the web"
    if link:
        return "is no file of its own and cannot be linked"
    try:
        with open_uri(uri) as source:
            content = source.read()
    except (OSError, LookalikeError) as error:
        return f"cannot be read ({cause_of(error)})"
    with open(place, "xb") as copy:
        copy.write(content)
    return ""


def _free_name(folder: str, name: str) -> str:
    """A path in `folder` that does not exist: `name`, or `name` with a number before its suffix."""
    stem, suffix = os.path.splitext(name)
    place = os.path.join(folder, name)
    number = 2
    while os.path.lexists(place):
        place = os.path.join(folder, f"{stem}-{number}{suffix}")
        number += 1
    return place
