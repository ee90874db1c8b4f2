"""Telling what a file is from its first bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.images.sniff import HEAD_BYTES, is_camera_raw, picture_format
from odd_files import card, encoded

FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "GIF", "BMP", "JPEG2000", "PPM", "ICO"]


@pytest.mark.parametrize("format", FORMATS)
def test_the_head_of_a_file_tells_its_format(format):
    assert picture_format(encoded(card(), format)[:HEAD_BYTES]) == format


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\x18ftypisom\0\0\0\0isomavc1",  # a film
        b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        b"P is for picture",
        b"BM is a car",
        b"%PDF-1.7",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"",
        b"\0" * 32,
    ],
)
def test_other_files_are_no_pictures(head):
    assert picture_format(head) is None


@pytest.mark.parametrize(
    "head", [b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", b"FUJIFILMCCD-RAW 0201", b"IIU\0\x18\0\0\0", b"IIRO\x08\0\0\0"]
)
def test_camera_raw_containers_are_known(head):
    assert picture_format(head) == "RAW"


def tiff(order, *tags):
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    entries = b"".join(
        struct.pack(order + "HHI", tag, kind, 1) + struct.pack(order + ("HH" if kind == 3 else "I"), *value)
        for tag, kind, *value in tags
    )
    return mark + struct.pack(order + "IH", 8, len(tags)) + entries + b"\0\0\0\0"


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_from_a_camera_is_told_from_a_scan(order):
    assert is_camera_raw(tiff(order, (50706, 4, 0x0104)))
    assert is_camera_raw(tiff(order, (254, 4, 1), (330, 4, 99)))
    assert is_camera_raw(tiff(order, (262, 3, 32803, 0)))
    assert not is_camera_raw(tiff(order, (254, 4, 0), (262, 3, 2, 0)))
    assert not is_camera_raw(encoded(card(), "TIFF"))


@given(st.binary(max_size=200))
def test_no_bytes_confuse_it(content):
    assert picture_format(content) in {None, "RAW", "JXL", "PSD", "ICNS", "DDS", "QOI", *FORMATS}
    assert is_camera_raw(b"II*\0" + content) in {True, False}
