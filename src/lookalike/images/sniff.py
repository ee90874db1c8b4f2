"""What a file is, told from its first bytes.

Promises: no imports beyond the standard library, no exceptions on any input. The names returned are
those of `decode`'s table of openers, plus "RAW" and "DICOM". Leaves to others whether the file is whole.

Signatures: the formats' specifications; for camera RAW the TIFF tags listed in libopenraw's documentation.
"""

from __future__ import annotations

import struct

HEAD_BYTES = 132
"""How much of a file `picture_format` wants to see."""

PICTURE_SUFFIXES = frozenset(
    b".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .avif .avifs .heic .heif .heics .heifs .hif .tif .tiff .gif .bmp .dib"
    b" .jp2 .j2k .jpf .jpx .j2c .jpc .pnm .ppm .pgm .pbm .pfm .ico .cur .icns .psd .dds .qoi .jxl .dcm .dicom".split()
)
RAW_SUFFIXES = frozenset(
    b".3fr .arw .cr2 .cr3 .crw .dng .erf .iiq .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf .raw .rw2 .rwl .sr2 .srf"
    b" .srw .x3f".split()
)

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBPVP8", "WEBP"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG2000"),
    (0, b"8BPS\x00\x01", "PSD"),
    (0, b"icns", "ICNS"),
    (0, b"DDS \x7c\x00\x00\x00", "DDS"),
    (0, b"qoif", "QOI"),
    (0, b"\xff\x0a", "JXL"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JXL"),
    (0, b"FUJIFILMCCD-RAW", "RAW"),
    (0, b"FOVb", "RAW"),
    (0, b"\x00MRM", "RAW"),
    (0, b"IIRO", "RAW"),
    (0, b"IIRS", "RAW"),
    (0, b"MMOR", "RAW"),
    (0, b"IIU\x00", "RAW"),
    (6, b"HEAPCCDR", "RAW"),
    (8, b"CR\x02\x00", "RAW"),
    (128, b"DICM", "DICOM"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"II+\x00", "TIFF"),
    (0, b"MM\x00+", "TIFF"),
)
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_BLANKS = b" \t\r\n"
_NUMBERS = b"0123456789# \t\r\n"
_BMP_HEADER_BYTES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def picture_format(data: bytes) -> str | None:
    """The format that the first bytes of a file announce, or None when they are no picture's.

    `data`: the file, or at least its first HEAD_BYTES.
    """
    for offset, signature, name in _SIGNATURES:
        if data.startswith(signature, offset):
            return name
    if data[4:8] == b"ftyp":
        return _boxed_format(data)
    if data[:2] == b"BM" and data[14:15] and data[14] in _BMP_HEADER_BYTES and data[15:18] == b"\0\0\0":
        return "BMP"
    if len(data) > 3 and data[:1] == b"P" and data[1] in b"123456fF" and data[2] in _BLANKS and data[3] in _NUMBERS:
        return "PPM"
    if data[:4] in (b"\0\0\1\0", b"\0\0\2\0") and data[4:5] not in (b"", b"\0") and data[5:6] == b"\0":
        return "ICO"
    return None


def _boxed_format(data: bytes) -> str | None:
    """AVIF, HEIF or RAW inside the ISO base media container; None for films and the rest."""
    size = min(int.from_bytes(data[:4], "big"), len(data))
    major = data[8:12]
    compatible = {data[at : at + 4] for at in range(16, size - 3, 4)}
    if major == b"crx ":
        return "RAW"
    if major in _AVIF_BRANDS or (major in {b"mif1", b"msf1", b"miaf"} and compatible & _AVIF_BRANDS):
        return "AVIF"
    if major in _HEIF_BRANDS or compatible & (_HEIF_BRANDS - {b"mif1", b"msf1"}):
        return "HEIF"
    return None


_TAG_SUBFILE_TYPE, _TAG_PHOTOMETRIC, _TAG_SUB_IFDS, _TAG_DNG_VERSION = 254, 262, 330, 50706
_PHOTOMETRIC_SENSOR = frozenset({32803, 34892})
"""Colour filter array and linear raw: sensor values, not a picture."""
_MOST_TAGS = 512


def is_camera_raw(tiff: bytes) -> bool:
    """Whether a TIFF is a camera's RAW file (DNG, NEF, ARW, PEF, ...): its first image is only a preview."""
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, at)
        tags = {}
        for number in range(min(count, _MOST_TAGS)):
            tag, _kind, _length, value = struct.unpack_from(order + "HHI4s", tiff, at + 2 + 12 * number)
            tags[tag] = value
    except struct.error:
        return False
    if _TAG_DNG_VERSION in tags:
        return True
    if _TAG_SUB_IFDS in tags and _short_or_long(tags.get(_TAG_SUBFILE_TYPE), order) == 1:
        return True
    return _short_or_long(tags.get(_TAG_PHOTOMETRIC), order) in _PHOTOMETRIC_SENSOR


def _short_or_long(value: bytes | None, order: str) -> int:
    """A small tag value, whether it was stored in two bytes or four."""
    if value is None:
        return 0
    return int(struct.unpack(order + "H", value[:2])[0] or struct.unpack(order + "I", value)[0])
