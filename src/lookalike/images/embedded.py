"""What the bytes of a picture say about it: its EXIF, XMP and IPTC brought together.

Of dates the one of the shutter counts before that of digitising, EXIF before XMP before IPTC (Metadata Working Group,
"Guidelines for Handling Image Metadata" 2.0), and when the file was changed only where nothing else is written. What a
person writes (title, caption, rating) counts from XMP first, which is where programs of today keep it; tags are united.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.images.cities import with_city
from lookalike.images.exif import ExifFacts, read_exif
from lookalike.images.iptc import read_iptc
from lookalike.images.values import known, tag_list
from lookalike.images.xmp import read_xmp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_IPTC_RESOURCE, _EXIF_RESOURCE, _XMP_RESOURCE = 0x0404, 0x0422, 0x0424
_IPTC_TAG, _XMP_TAG = 33723, 700


def read_metadata(image: Any) -> dict[str, Any]:
    """What an opened PIL image's bytes say, as JSON-ready values under keys of `core.fields`; only what is known."""
    exif = _exif(image)
    return brought_together(
        read_exif(exif) if exif is not None else ExifFacts(), read_xmp(_xmp(image)), read_iptc(_iptc(image))
    )


def metadata_of_raw(data: bytes) -> dict[str, Any]:
    """What a camera RAW file says outside its preview; nothing where it is no TIFF inside."""
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(data)
    except Exception:  # no TIFF, or garbage
        return {}
    return brought_together(read_exif(exif), read_xmp(exif.get(_XMP_TAG)), {})


def brought_together(exif: ExifFacts, xmp: Mapping[str, Any], iptc: Mapping[str, Any]) -> dict[str, Any]:
    """One answer from all that was read."""
    by_device, by_person = (exif.values, xmp, iptc), (xmp, iptc, exif.values)
    taken, taken_from = _taken(exif, xmp, iptc)
    facts = {
        "taken": taken,
        "taken_from": taken_from,
        **{name: _first(name, by_device) for name in ("camera", "lens")},
        **_place(exif.values, xmp),
        **{name: _first(name, by_person) for name in ("city", "country", "rating", "title", "caption")},
        "tags": tag_list(tag for each in by_person for tag in each.get("tags", [])),
    }
    return with_city(known(facts))


def _taken(exif: ExifFacts, xmp: Mapping[str, Any], iptc: Mapping[str, Any]) -> tuple[str, str]:
    for source, date in (
        ("exif", exif.values.get("taken")),
        ("xmp", xmp.get("taken")),
        ("iptc", iptc.get("taken")),
        ("exif", exif.changed),
    ):
        if date:
            return date, source
    return "", ""


def _place(exif: Mapping[str, Any], xmp: Mapping[str, Any]) -> dict[str, Any]:
    """Both coordinates from one source."""
    said = exif if "latitude" in exif else xmp
    return {name: said.get(name) for name in ("latitude", "longitude")}


def _first(name: str, sources: Iterable[Mapping[str, Any]]) -> Any:
    return next((each[name] for each in sources if name in each), None)


def _exif(image: Any) -> Any:
    from PIL import Image

    block = _resource(image, _EXIF_RESOURCE) or _raw_profile(image, "exif") or _raw_profile(image, "APP1")
    try:
        if block is None:
            return image.getexif()
        exif = Image.Exif()
        exif.load(block)
    except Exception:  # garbage raises anything; it only costs the metadata
        return None
    return exif


def _xmp(image: Any) -> Any:
    packet = image.info.get("xmp") or _resource(image, _XMP_RESOURCE) or _tiff_tag(image, _XMP_TAG)
    return packet or _raw_profile(image, "xmp")


def _iptc(image: Any) -> Any:
    return _resource(image, _IPTC_RESOURCE) or _tiff_tag(image, _IPTC_TAG)


def _resource(image: Any, number: int) -> bytes | None:
    """One of the resources that Photoshop puts into PSD and JPEG files."""
    in_jpeg = image.info.get("photoshop")
    if isinstance(in_jpeg, dict):
        return _bytes(in_jpeg.get(number))
    for kind, _name, data in getattr(image, "resources", None) or ():
        if kind == number:
            return _bytes(data)
    return None


def _raw_profile(image: Any, name: str) -> bytes | None:
    """What ImageMagick writes into a PNG as text: a name, a length, and that many bytes as hexadecimal digits."""
    written = image.info.get(f"Raw profile type {name}")
    if not isinstance(written, str):
        return None
    try:
        _, _, length, digits = written.split("\n", 3)
        return bytes.fromhex("".join(digits.split())[: 2 * int(length)])
    except ValueError:
        return None


def _tiff_tag(image: Any, number: int) -> bytes | None:
    try:
        value = image.tag_v2.get(number)
    except Exception:  # no TIFF, or one whose tags are garbage
        return None
    return _bytes(value)


def _bytes(value: Any) -> bytes | None:
    """Some writers call their bytes words, and Pillow gives numbers then; those hold nothing we could trust."""
    return value if isinstance(value, bytes) else None
