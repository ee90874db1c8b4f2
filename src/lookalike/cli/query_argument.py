"""What a person meant by the argument of `search`: words, a picture file, an address, or bytes on standard input.

An argument is a picture only if it has a separator or a picture's suffix, and exists; everything else is words.
Where that guess could surprise, a sentence on standard error says what was made of it.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.core.errors import SourceError
from lookalike.images.sniff import PICTURE_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STANDARD_INPUT = "-"
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_PLACE = re.compile(r"[/~]|\.{1,2}[/\\]|[a-zA-Z]:[/\\]|\\\\")  # how a path begins that nobody types as words


def read_query(
    words: Sequence[str], *, as_text: bool, as_picture: bool, fetch: Callable[[str], bytes] | None
) -> str | Path | bytes:
    """A str for words, a Path or bytes for a picture. `fetch` gets the bytes of an address; None where that is off.

    Raises click.UsageError, SourceError.
    """
    if as_text and as_picture:
        raise click.UsageError("--text and --image contradict each other")
    if as_text:
        return " ".join(words)
    if len(words) > 1:
        return _several(words, as_picture=as_picture)
    argument = words[0]
    if argument == STANDARD_INPUT:
        return _standard_input()
    if _ADDRESS.fullmatch(argument):
        return _fetched(argument, fetch)
    if as_picture:
        return _existing(argument)
    return _guess(argument)


def _several(words: Sequence[str], *, as_picture: bool) -> str:
    pictures = [word for word in words if as_picture or (_picture_like(word) and os.path.isfile(_place(word)))]
    if pictures:
        raise click.UsageError("one picture at a time is searched for")
    return " ".join(words)


def _guess(argument: str) -> str | Path:
    place = _place(argument)
    if os.path.isfile(place) and _picture_like(argument):
        return Path(place)
    if _has_separator(argument) and os.path.isdir(place):
        raise click.UsageError(f"{argument} is a folder; to search inside it: lookalike search WORDS --in {argument}")
    if _has_separator(argument) and (_PLACE.match(argument) or _has_picture_suffix(argument)):
        raise SourceError(f"there is no picture {argument}", hint="if these are words to search for, add --text")
    if _picture_like(argument):
        printing.note(f'There is no file "{printing.printable(argument)}" here: searching for these words.')
    return argument


def _existing(argument: str) -> Path:
    place = Path(_place(argument))
    if not place.is_file():
        what = "is a folder, not a picture" if place.is_dir() else "does not exist"
        raise SourceError(f"{argument} {what}", hint="give one picture after --image")
    return place


def _fetched(address: str, fetch: Callable[[str], bytes] | None) -> bytes:
    if fetch is None:
        raise click.UsageError(
            f"{address} is an address and nothing is fetched unless you say so: add --allow-url, or --text for words"
        )
    return fetch(address)


def _standard_input() -> bytes:
    from lookalike.core.records import DecodeLimits

    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("- takes a picture from standard input, and none is piped in")
    limit = DecodeLimits().max_bytes
    data = sys.stdin.buffer.read(limit + 1)
    if not data:
        raise SourceError("standard input is empty", hint="pipe a picture in: lookalike search - < photo.jpg")
    if len(data) > limit:
        raise SourceError(f"standard input holds more than {printing.size(limit)}", hint="give a smaller picture")
    return data


def _picture_like(argument: str) -> bool:
    return _has_separator(argument) or _has_picture_suffix(argument)


def _has_separator(argument: str) -> bool:
    return os.sep in argument or (os.altsep is not None and os.altsep in argument)


def _has_picture_suffix(argument: str) -> bool:
    suffix = os.fsencode(os.path.splitext(argument)[1].lower())
    return suffix in PICTURE_SUFFIXES or suffix in RAW_SUFFIXES


def _place(argument: str) -> str:
    """The path that is meant: `file:` addresses, as file managers copy them, and ~ are understood."""
    if argument.startswith("file:"):
        from urllib.parse import urlparse
        from urllib.request import url2pathname

        return url2pathname(urlparse(argument).path)
    return os.path.expanduser(argument)
