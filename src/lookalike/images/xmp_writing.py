"""Keywords written into XMP sidecar files, and only there: pictures themselves are never touched.

A sidecar that is there stays as it is, byte for byte, and gets the missing keywords into its dc:subject: ratings, edits
and histories of other programs survive. What cannot be extended safely is refused with its reason. Each change is read
back before it counts: all it said before must still be said.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat
from xml.sax.saxutils import escape

from lookalike.core.errors import CannotDecode, LookalikeError
from lookalike.images.values import tag_list
from lookalike.images.xmp import LARGEST_BYTES, declares, document, read_xmp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_DESCRIPTION, _SUBJECT = f"{_RDF} Description", f"{_DC} subject"
_ARRAYS = {f"{_RDF} {kind}" for kind in ("Bag", "Seq", "Alt")}
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([^"']+)""")
_TAG_NAME = re.compile(rb"<([^\s/>]+)")
_WHOLE_TAG = re.compile(rb"""<[^\s/>]+(?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>""")
_NEW = """\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="lookalike">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="">
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
_HINT = "add the keywords with the program that wrote it"


@dataclass(frozen=True, slots=True)
class SidecarChange:
    """What writing `tags` for the picture at `picture` comes to: `added` to the file `sidecar`, which is new or not.

    `content` is what the file will hold; `before` what it held, None for a new one.
    """

    picture: bytes
    sidecar: bytes
    added: tuple[str, ...]
    content: bytes = field(repr=False)
    before: bytes | None = field(repr=False)


def plan_sidecar(picture: bytes, tags: Sequence[str], sidecars: Sequence[bytes] = ()) -> SidecarChange | None:
    """How the picture file `picture` gets `tags`; None where it has them all. Nothing is written.

    `sidecars`: names of files beside it that tell of it, the first XMP file among them is extended. A new one is
    NAME.SUFFIX.xmp and repeats the keywords inside the picture, because programs read a sidecar in their stead.
    Raises LookalikeError for a sidecar that cannot be extended, OSError.
    """
    there = [name for name in sidecars if name.lower().endswith(b".xmp")]
    path = os.path.join(os.path.dirname(picture), there[0]) if there else picture + b".xmp"
    before = _read(path) if there or os.path.exists(path) else None
    said = read_xmp(before).get("tags", []) if before is not None else _embedded_tags(picture)
    known = {tag.casefold() for tag in said}
    added = tuple(tag for tag in tag_list(tags) if tag.casefold() not in known)
    if not added:
        return None
    try:
        content = with_tags(_NEW.encode() if before is None else before, [*(said if before is None else ()), *added])
    except LookalikeError as error:
        raise LookalikeError(f"{os.fsdecode(path)} {error}", hint=error.hint) from error
    return SidecarChange(picture, path, added, content, before)


def write_sidecar(change: SidecarChange) -> None:
    """Write what was planned, as a whole or not at all.

    Raises LookalikeError where the sidecar has changed since it was planned, OSError.
    """
    path = change.sidecar
    now = _read(path) if os.path.exists(path) else None
    if now != change.before:
        raise LookalikeError(f"{os.fsdecode(path)} has changed meanwhile", hint="run the command again")
    temporary = path + b".partial"
    try:
        with open(temporary, "xb") as file:
            file.write(change.content)
        if change.before is not None:
            os.chmod(temporary, os.stat(path).st_mode & 0o777)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def with_tags(packet: bytes, tags: Sequence[str]) -> bytes:
    """`packet` with `tags` among its keywords, those it has not; all other bytes as they were.

    Raises LookalikeError, the message fit to follow the file's name, for what is no XMP in UTF-8, declares entities or
    holds its keywords as an attribute.
    """
    encoding = _ENCODING.search(packet)
    if len(packet) > LARGEST_BYTES or declares(packet):
        raise LookalikeError("is too large or declares entities: it is left as it is", hint=_HINT)
    if encoding is not None and encoding[1].lower() not in {b"utf-8", b"us-ascii", b"ascii"}:
        raise LookalikeError("is not in UTF-8: it is left as it is", hint=_HINT)
    before = read_xmp(packet)
    said = before.get("tags", [])
    missing = [tag for tag in tag_list(tags) if tag.casefold() not in {each.casefold() for each in said}]
    if not missing:
        return packet
    inside = document(packet)
    start = packet.index(inside)
    extended = packet[:start] + _edited(inside, said, missing) + packet[start + len(inside) :]
    if read_xmp(extended) != {**before, "tags": [*said, *missing]}:
        raise LookalikeError("is written in an unusual way: it is left as it is", hint=_HINT)
    return extended


def _edited(xml: bytes, said: Sequence[str], missing: Sequence[str]) -> bytes:
    """Keywords go to the end of their list; where there is none, a list of all is put into the first description."""
    places = _Places(xml)
    if places.array:
        prefix = _prefix(xml, places.array[0])
        return _put_inside(xml, places.array, lambda space: b"".join(space + _item(tag, prefix) for tag in missing))
    if places.description is None or places.subject:
        raise LookalikeError("is written in an unusual way: it is left as it is", hint=_HINT)
    keywords = _subject([*said, *missing], _prefix(xml, places.description[0]))
    return _put_inside(xml, places.description, lambda space: space + keywords)


def _put_inside(xml: bytes, place: tuple[int, int], inner: Callable[[bytes], bytes]) -> bytes:
    """`inner` at the end of the element that starts and ends at `place`; it is given the white space to begin with."""
    start, end = place
    whole = _WHOLE_TAG.match(xml, start)
    if whole is not None and whole.end() == end and xml[end - 2 : end] == b"/>":
        name = xml[start + 1 : end].split(None, 1)[0].rstrip(b"/>")
        return xml[: end - 2].rstrip() + b">" + inner(b"") + b"</" + name + b">" + xml[end:]
    space = xml[:end][len(xml[:end].rstrip()) :]
    at = end - len(space)
    return xml[:at] + inner(space + b" " if space else b"") + xml[at:]


class _Places:
    """Where elements of a packet start, and where their end tags do; <empty/> ones: where they end.

    `array`: the list of keywords. `subject`: whether there are any. `description`: the first one.
    """

    def __init__(self, xml: bytes) -> None:
        self.array: tuple[int, int] | None = None
        self.description: tuple[int, int] | None = None
        self.subject = False
        self._open: list[tuple[str, int]] = []
        self._parser = expat.ParserCreate("UTF-8", " ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        try:
            self._parser.Parse(xml, True)
        except expat.ExpatError as error:
            raise LookalikeError(f"cannot be read as XML ({error}): it is left as it is", hint=_HINT) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append((name, self._parser.CurrentByteIndex))
        self.subject |= name == _SUBJECT or (name == _DESCRIPTION and _SUBJECT in attributes)

    def _end(self, name: str) -> None:
        place = self._open.pop()[1], self._parser.CurrentByteIndex
        above = self._open[-1][0] if self._open else ""
        if name in _ARRAYS and above == _SUBJECT and self.array is None:
            self.array = place
        if name == _DESCRIPTION and self.description is None:
            self.description = place


def _prefix(xml: bytes, start: int) -> bytes:
    """The prefix of the tag at `start` with its colon, as that document writes it; b"" for none."""
    found = _TAG_NAME.match(xml, start)
    name = found[1] if found else b""
    return name[: name.find(b":") + 1]


def _item(tag: str, prefix: bytes) -> bytes:
    return b"<%sli>%s</%sli>" % (prefix, escape(tag).encode(), prefix)


def _subject(tags: Sequence[str], prefix: bytes) -> bytes:
    items = b"".join(b"\n     " + _item(tag, prefix) for tag in tags)
    opening = b'<dc:subject xmlns:dc="%s">\n    <%sBag>' % (_DC.encode(), prefix)
    return opening + items + b"\n    </%sBag>\n   </dc:subject>" % prefix


def _read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read(LARGEST_BYTES + 1)


def _embedded_tags(picture: bytes) -> list[str]:
    """The keywords inside a picture; none where it cannot be decoded."""
    from lookalike.images.decode import decode_image

    with open(picture, "rb") as file:
        data = file.read()
    try:
        return list(decode_image(data, side=1).metadata.get("tags", []))
    except CannotDecode:
        return []
