"""The language of queries: `"golden retriever" + ./pool.jpg - fruit` -> signed, weighted terms.

A query is terms with a + or - between them. A sign is one only where it stands alone, with blanks or an end on both
sides, so "t-shirt", "C++" and "-20 degrees" are words. A term is

- words: `golden retriever`;
- a picture, where the caller's `picture_at` finds one: `./pool.jpg`, or a part of it, `./pool.jpg[x,y,w,h]` in
  pixels, `./pool.jpg[10%,20%,50%,50%]` of its width and height;
- an item of the collection: `item:ID`;
- an address, `https://...`, which the caller's `fetch` gets, or which is refused;

and may have a weight before it: `2:dog`, `0.5:./pool.jpg`. The colon touches what follows, which is no digit: "16:9",
"4:30 pm" and "2001: a space odyssey" are words. Terms may all be negative: "- fruit" is what is least like fruit.

How much belongs together depends on where a query comes from:

- A list is what a shell leaves of a command line. Its quotes are gone, so an element that is not just a sign counts as
  quoted: three elements, black - white, subtract; one, "black - white", is words. Elements with no sign between them
  are one phrase.
- A str is what a person typed into a box, with quotes (", “”, «») where they are meant: around a term, or behind its
  weight, they make it words, whatever stands inside. Quotes further inside of words stay: an encoder reads them.

Nothing is read from disk and nothing fetched but by the functions given: without them a query has words and items only,
which is what a service wants of strangers. `-` for standard input is the command line's own matter.

After rclip (github.com/yurijmikhalevich/rclip), which has weights, and its signs as options.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lookalike.core.errors import QueryError
from lookalike.core.pointing import pointing
from lookalike.core.records import Crop, PictureAt, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

MAX_TERMS = 50
"""More than a person writes; few enough that one query does not keep an encoder busy."""
MAX_WEIGHT = 100.0
"""Beyond it the other terms no longer count."""
ITEM = "item:"
_SIGNS = {"+": 1.0, "-": -1.0}
_QUOTED = re.compile(r'"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»')
_OPENING = frozenset('"“„«')
_IN_QUOTES = "in quotes + and - are words; - is standard input only where it is the whole query"
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?|\.\d+):(?=[^\s\d])", re.ASCII)
_SIGN = re.compile(r"[+-](?=\s|\Z)")
_BLANK_AND_SIGN = re.compile(r"\s+[+-](?=\s|\Z)")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_CROPPED = re.compile(r"(.+)\[([-\d.,%\s]*)\]", re.ASCII | re.DOTALL)
_LENGTH = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(%?)\s*", re.ASCII)


def parse_query(
    given: str | Sequence[str],
    *,
    picture_at: Callable[[str], Path | None] | None = None,
    fetch: Callable[[str], bytes] | None = None,
) -> tuple[Term, ...]:
    """The terms of a query, in order; pictures as `PictureAt`, which `query_pictures.read_pictures` reads.

    `picture_at` says which file a word means, None when it is a word; it may refuse by an error of its own. `fetch`
    gets the bytes of an address. Raises QueryError that points at the place, and what the two functions raise.
    """
    from_box = isinstance(given, str)
    whole = given if isinstance(given, str) else " ".join(given)
    if not whole.strip():
        raise QueryError("the query is empty", hint='try: lookalike search "a dog in the snow"')
    operands = _operands(whole, _tokens_of_text(whole) if from_box else _tokens_of_list(given))
    if len(operands) > MAX_TERMS:
        raise _refusal(f"a query has at most {MAX_TERMS} terms", whole, operands[MAX_TERMS].place)
    reader = _Reader(whole, from_box, picture_at, fetch)
    return tuple(reader.term(operand) for operand in operands)


# --- from text to operands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    """A sign, or something between signs, that begins at `place`."""

    text: str
    place: int
    is_sign: bool


@dataclass(frozen=True, slots=True)
class _Operand:
    """What stands between two signs: one token, or from a list several that are one phrase."""

    sign: float
    parts: tuple[_Token, ...]

    @property
    def place(self) -> int:
        return self.parts[0].place

    @property
    def text(self) -> str:
        return " ".join(part.text for part in self.parts)


def _tokens_of_list(words: Sequence[str]) -> Iterator[_Token]:
    place = 0
    for word in words:
        if word.strip():
            yield _Token(word, place, is_sign=word in _SIGNS)
        place += len(word) + 1


def _tokens_of_text(text: str) -> Iterator[_Token]:
    place = _behind_blanks(text, 0)
    while place < len(text):
        sign = _SIGN.match(text, place)
        end = sign.end() if sign else _end_of_operand(text, place)
        yield _Token(text[place:end], place, is_sign=sign is not None)
        place = _behind_blanks(text, end)


def _behind_blanks(text: str, place: int) -> int:
    return len(text) - len(text[place:].lstrip())


def _end_of_operand(text: str, place: int) -> int:
    """Where the next sign's blanks begin; signs in quotes are none."""
    weight = _WEIGHT.match(text, place)
    start = weight.end() if weight else place
    start += len(ITEM) if text.startswith(ITEM, start) else 0
    if text[start : start + 1] in _OPENING:
        quoted = _QUOTED.match(text, start)
        if quoted is None:
            raise _refusal("this quote is never closed", text, start)
        start = quoted.end()
    sign = _BLANK_AND_SIGN.search(text, start)
    return sign.start() if sign else len(text.rstrip())


def _operands(whole: str, tokens: Iterable[_Token]) -> list[_Operand]:
    operands: list[_Operand] = []
    sign: _Token | None = None
    parts: list[_Token] = []
    for token in tokens:
        if not token.is_sign:
            parts.append(token)
            continue
        if parts:
            operands.append(_Operand(_SIGNS[sign.text] if sign else 1.0, tuple(parts)))
            parts = []
        elif sign:
            raise _refusal("two signs in a row", whole, token.place, hint=_IN_QUOTES)
        sign = token
    if not parts:
        raise _refusal("nothing follows the sign", whole, sign.place if sign else 0, hint=_IN_QUOTES)
    return [*operands, _Operand(_SIGNS[sign.text] if sign else 1.0, tuple(parts))]


# --- from operands to terms ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes terms of the operands of one query."""

    whole: str
    from_box: bool
    picture_at: Callable[[str], Path | None] | None
    fetch: Callable[[str], bytes] | None

    def term(self, operand: _Operand) -> Term:
        weight, text = self._weight(operand)
        if len(operand.parts) > 1:
            self._refuse_neighbours(operand)
            term = Term("text", text)
        else:
            term = self._single(operand, text)
        return replace(term, weight=operand.sign * weight)

    def _weight(self, operand: _Operand) -> tuple[float, str]:
        text = operand.text
        found = _WEIGHT.match(text)
        if found is None:
            return 1.0, text
        weight = float(found[1])
        if not 0 < weight <= MAX_WEIGHT:
            message = f"a weight is more than 0 and at most {MAX_WEIGHT:g}"
            raise _refusal(message, self.whole, operand.place, hint="a minus before a term takes it away")
        return weight, text[found.end() :]

    def _single(self, operand: _Operand, text: str) -> Term:
        words = _unquoted(text) if self.from_box else None
        if words is None:
            return self._special(operand, text) or Term("text", text)
        if not words.strip():
            raise _refusal("there is nothing between the quotes", self.whole, operand.place)
        return Term("text", words)

    def _special(self, operand: _Operand, text: str) -> Term | None:
        """An item, an address or a picture; None for words."""
        if text.startswith(ITEM):
            id = text[len(ITEM) :]
            id = (_unquoted(id) if self.from_box else None) or id
            return None if not id or id[0].isspace() else Term("item", id)
        name, crop = text, None
        if cropped := _CROPPED.fullmatch(text):
            name = cropped[1]
        if _ADDRESS.fullmatch(name):
            crop = self._crop(operand, cropped)
            return Term("picture", PictureAt(self._fetched(operand, name), crop), label=text)
        path = self.picture_at(name) if self.picture_at else None
        if path is None:
            return None
        return Term("picture", PictureAt(path, self._crop(operand, cropped)), label=text)

    def _fetched(self, operand: _Operand, address: str) -> bytes:
        if self.fetch is None:
            raise _refusal("addresses are not fetched here", self.whole, operand.place)
        return self.fetch(address)

    def _crop(self, operand: _Operand, cropped: re.Match[str] | None) -> Crop | None:
        if cropped is None:
            return None
        found = [_LENGTH.fullmatch(each) for each in cropped[2].split(",")]
        lengths = [each for each in found if each]
        place = operand.place + operand.text.rindex("[")
        if len(found) != 4 or len(lengths) != 4 or len({each[2] for each in lengths}) != 1:
            message = "a part of a picture is [x,y,width,height], all in pixels or all in %"
            raise _refusal(message, self.whole, place)
        left, top, width, height = (float(each[1]) for each in lengths)
        if not (width > 0 and height > 0):
            raise _refusal("this part of the picture has no size", self.whole, place)
        return Crop(left, top, width, height, percent=lengths[0][2] == "%")

    def _refuse_neighbours(self, operand: _Operand) -> None:
        """A picture, item or address stands alone between signs."""
        for part in operand.parts:
            found = _WEIGHT.match(part.text)
            if self._special(replace(operand, parts=(part,)), part.text[found.end() :] if found else part.text):
                message = "this is not words, and no + or - is between it and its neighbour"
                hint = "put + or - between them, or quotes around what belongs together"
                raise _refusal(message, self.whole, part.place, hint=hint)


def _unquoted(text: str) -> str | None:
    """What stands between the quotes that hold all of `text`; None where there are none."""
    return text[1:-1] if _QUOTED.fullmatch(text) else None


def _refusal(message: str, whole: str, place: int, *, hint: str = "") -> QueryError:
    return QueryError(f"{message}\n{pointing(whole, place)}", hint=hint)
