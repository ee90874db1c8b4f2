"""What a person meant by the words behind `search`: words, pictures, addresses, items, with + and - between them.

The language is that of `engine.query_language`; here is decided what is a picture. A word is one only if it has a
separator or a picture's suffix, and exists; everything else is words. Where that guess could surprise, a sentence on
standard error says what was made of it. `-` as the whole query is a picture on standard input.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.core.errors import SourceError
from lookalike.core.records import PictureAt, Term
from lookalike.engine.query_language import parse_query
from lookalike.images.sniff import PICTURE_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STANDARD_INPUT = "-"
_PLACE = re.compile(r"[/~]|\.{1,2}[/\\]|[a-zA-Z]:[/\\]|\\\\")  # how a path begins that nobody types as words
_SIGN_INSIDE = re.compile(r"\S\s+[+-]\s+\S")


def read_query(
    words: Sequence[str], *, as_text: bool, as_picture: bool, fetch: Callable[[str], bytes] | None
) -> tuple[Term, ...]:
    """The terms of the query, pictures still to be read. `fetch` gets the bytes of an address; None where that is off.

    Raises click.UsageError, SourceError, QueryError.
    """
    if as_text and as_picture:
        raise click.UsageError("--text and --image contradict each other")
    if as_text:
        return (Term("text", " ".join(words)),)
    if list(words) == [STANDARD_INPUT]:
        return (Term("picture", PictureAt(_standard_input()), label="(standard input)"),)
    if len(words) == 1 and not as_picture and _SIGN_INSIDE.search(words[0]):
        printing.note("Inside quotes + and - are words; to add and subtract: lookalike search dog + ./a.jpg - snow")
    return parse_query(words, picture_at=_existing if as_picture else _guess, fetch=fetch or _refuse_address)


def _guess(argument: str) -> Path | None:
    """The picture that is meant, None for words."""
    place = _place(argument)
    if os.path.isfile(place) and _picture_like(argument):
        return Path(place)
    if _has_separator(argument) and os.path.isdir(place):
        raise click.UsageError(f"{argument} is a folder; to search inside it: lookalike search WORDS --in {argument}")
    if _has_separator(argument) and (_PLACE.match(argument) or _has_picture_suffix(argument)):
        raise SourceError(f"there is no picture {argument}", hint="if these are words to search for, add --text")
    if _picture_like(argument):
        printing.note(f'There is no file "{printing.printable(argument)}" here: searching for these words.')
    return None


def _existing(argument: str) -> Path:
    place = _place(argument)
    if not os.path.isfile(place):
        what = "is a folder, not a picture" if os.path.isdir(place) else "does not exist"
        raise SourceError(f"{argument} {what}", hint="with --image all of the query is pictures")
    return Path(place)


def _refuse_address(address: str) -> bytes:
    raise click.UsageError(
        f"{address} is an address and nothing is fetched unless you say so: add --allow-url, or --text for words"
    )


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
    suffix = os.path.splitext(argument)[1].lower().encode("utf-8", "surrogatepass")
    return suffix in PICTURE_SUFFIXES or suffix in RAW_SUFFIXES


def _place(argument: str) -> str:
    """The path that is meant: `file:` addresses, as file managers copy them, and ~ are understood."""
    with suppress(ValueError):  # a NUL, or no address: no place either way
        if argument.startswith("file:"):
            from urllib.parse import urlparse
            from urllib.request import url2pathname

            return url2pathname(urlparse(argument).path)
        return os.path.expanduser(argument)
    return argument
