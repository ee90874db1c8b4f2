"""What an XMP packet says, inside a picture or in a sidecar file beside it.

Promises: JSON-ready values only; a packet that is no XML, declares entities or is too large says nothing. Properties
are found wherever they stand, as elements or as attributes. Names: XMP specification, part 2; Exif 2.32 for XMP; IPTC.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from lookalike.core.fields import date_text
from lookalike.images.exif import camera
from lookalike.images.moments import moment_of
from lookalike.images.values import LONGEST_TEXT, clean_text, known, position, rating, tag_list

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_BYTES = 4 << 20
"""Packets of editors carry their whole history; larger ones carry a picture."""
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_EXIF_EX = "{http://cipa.jp/exif/1.0/}"
_AUX = "{http://ns.adobe.com/exif/1.0/aux/}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_DIGIKAM = "{http://www.digikam.org/ns/1.0/}"
_DATES = (_EXIF + "DateTimeOriginal", _PHOTOSHOP + "DateCreated", _XMP + "CreateDate")
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ROOT = re.compile(rb"<(x:xmpmeta|x:xapmeta|rdf:RDF)\b")
_PADDING = b"\0 \t\r\n\xef\xbb\xbf"
_COORDINATE = re.compile(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?\s*([NSEW])", re.IGNORECASE)


def read_xmp(packet: Any) -> dict[str, Any]:
    """Keys of `core.fields`, those that are known. `packet`: bytes or text, or anything else for none."""
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    if not isinstance(packet, bytes) or len(packet) > LARGEST_BYTES or declares(packet):
        return {}
    try:
        root = ET.fromstring(document(packet))  # noqa: S314 - no entities, see above
    except (ET.ParseError, ValueError, LookupError):
        return {}
    said = _Properties(root)
    moment = next((found for name in _DATES if (found := moment_of(said.text(name)))), None)
    return known(
        {
            "taken": "" if moment is None else date_text(moment),
            "camera": camera(said.text(_TIFF + "Make"), said.text(_TIFF + "Model")),
            "lens": clean_text(said.text(_EXIF_EX + "LensModel") or said.text(_AUX + "Lens")),
            **position(_degrees(said.text(_EXIF + "GPSLatitude")), _degrees(said.text(_EXIF + "GPSLongitude"))),
            "city": clean_text(said.text(_PHOTOSHOP + "City")),
            "country": clean_text(said.text(_PHOTOSHOP + "Country")),
            "tags": tag_list(said.list(_DC + "subject") or map(_leaf, said.list(_DIGIKAM + "TagsList"))),
            "rating": rating(said.text(_XMP + "Rating")),
            "title": clean_text(said.text(_DC + "title")),
            "caption": clean_text(said.text(_DC + "description"), LONGEST_TEXT),
        }
    )


def declares(packet: bytes) -> bool:
    """Whether it declares anything, also in UTF-16 or UTF-32: the bytes between are 0 there."""
    return _DECLARATION.search(packet.replace(b"\0", b"")) is not None


def document(packet: bytes) -> bytes:
    """The packet without what writers leave before and behind it."""
    opening = _ROOT.search(packet)
    end = -1 if opening is None else packet.find(b"</" + opening[1] + b">", opening.end())
    if opening is None or end < 0:
        return packet.strip(_PADDING)
    return packet[opening.start() : end] + b"</" + opening[1] + b">"


class _Properties:
    """The properties of a packet; the first of a name counts."""

    def __init__(self, root: ET.Element) -> None:
        self._elements: dict[str, ET.Element] = {}
        self._attributes: dict[str, str] = {}
        for description in root.iter(_RDF + "Description"):
            for name, value in description.attrib.items():
                self._attributes.setdefault(name, value)
            for element in description:
                self._elements.setdefault(element.tag, element)

    def text(self, name: str) -> str:
        return next(self._values(name), "")

    def list(self, name: str) -> list[str]:
        return list(self._values(name))

    def _values(self, name: str) -> Iterator[str]:
        """Of a plain property one, of a bag, list or choice of languages all."""
        if (element := self._elements.get(name)) is not None:
            items = list(element.iter(_RDF + "li")) or [element]
            yield from (item.text for item in items if item.text and item.text.strip())
        elif name in self._attributes:
            yield self._attributes[name]


def _degrees(written: str) -> float | None:
    """Degrees and minutes, with or without seconds: 57,24.5N or 57,24,30N."""
    found = _COORDINATE.fullmatch(written.strip())
    if found is None:
        return None
    value = int(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600
    return -value if found[4].upper() in "SW" else value


def _leaf(path: str) -> str:
    return path.rsplit("/", 1)[-1]
