"""EXIF, XMP and IPTC of one picture, brought together, in every format that carries them."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lookalike.images.decode import decode_picture
from lookalike.images.iptc import read_iptc
from lookalike.images.xmp import read_xmp
from odd_files import card, encoded

XMP = """<?xpacket begin="\ufeff"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"><rdf:Description rdf:about="" xmp:Rating="4"
 photoshop:DateCreated="2019-05-03T17:10:22+03:00" exif:GPSLatitude="56,56.85N" exif:GPSLongitude="24,6,25E">
 <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Old town</rdf:li></rdf:Alt></dc:title>
 <dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li> sun </rdf:li><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>
 <dc:description><rdf:Alt><rdf:li xml:lang="x-default">A street &amp; a cat</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
SAID_BY_XMP = {
    "taken": "2019-05-03T17:10:22+03:00",
    "latitude": 56.9475,
    "longitude": 24.1069444,
    "tags": ["sea", "sun"],
    "rating": 4,
    "title": "Old town",
    "caption": "A street & a cat",
}


def records(**values):
    numbers = {"title": 5, "keyword": 25, "day": 55, "time": 60, "city": 90, "country": 101, "caption": 120}
    return b"".join(
        b"\x1c\x02" + bytes([numbers[name]]) + struct.pack(">H", len(each)) + each
        for name, several in values.items()
        for each in several
    )


def dated(year):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = f"{year}:01:01 00:00:00"
    return exif


def in_app13(block):
    """A JPEG with IPTC records as Photoshop puts them."""
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + block + b"\0" * (len(block) % 2)
    segment = b"Photoshop 3.0\0" + resource
    jpeg = encoded(card(), "JPEG")
    return jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def test_an_xmp_packet_says_what_it_says():
    assert read_xmp(XMP) == SAID_BY_XMP
    assert read_xmp(XMP.encode()) == SAID_BY_XMP


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_xmp_is_found_in_every_format_that_has_a_place_for_it(format):
    options = {"tiffinfo": {700: XMP.encode()}} if format == "TIFF" else {"xmp": XMP.encode()}
    if format == "PNG":
        from PIL.PngImagePlugin import PngInfo

        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP)
        options = {"pnginfo": text}
    found = decode_picture(encoded(card(), format, **options)).metadata
    assert {name: found.get(name) for name in SAID_BY_XMP} == SAID_BY_XMP
    assert (found["taken_from"], found["city"], found["country"]) == ("xmp", "Riga", "Latvia")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_exif_is_found_in_every_format_that_has_a_place_for_it(format):
    exif = dated(2021)
    found = decode_picture(encoded(card(), format, exif=exif.tobytes())).metadata
    assert (found["taken"], found["taken_from"]) == ("2021-01-01T00:00:00", "exif")


def test_what_imagemagick_writes_into_png_as_text_is_read_with_junk_behind_it():
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    for name, content in (("exif", dated(2021).tobytes()), ("xmp", XMP.encode() + b"\0}}")):
        text.add_text(f"Raw profile type {name}", f"\n{name}\n{len(content):8}\n{content.hex()}\n}}}}\x91", zip=True)
    found = decode_picture(encoded(card(), "PNG", pnginfo=text)).metadata
    assert (found["taken"], found["title"]) == ("2021-01-01T00:00:00", "Old town")


def test_the_shutter_counts_before_xmp_and_a_persons_words_from_xmp_before_exif():
    exif = dated(2021)
    exif[0x010E], exif[0x4746] = "from the camera", 2
    found = decode_picture(encoded(card(), "JPEG", exif=exif.tobytes(), xmp=XMP.encode())).metadata
    assert (found["taken"], found["taken_from"]) == ("2021-01-01T00:00:00", "exif")
    assert (found["caption"], found["rating"]) == ("A street & a cat", 4)


def test_when_a_file_was_changed_counts_only_where_nothing_else_is_written():
    exif = Image.Exif()
    exif[0x0132] = "2022:02:02 00:00:00"
    assert decode_picture(encoded(card(), "JPEG", exif=exif.tobytes())).metadata["taken"].startswith("2022")
    both = decode_picture(encoded(card(), "JPEG", exif=exif.tobytes(), xmp=XMP.encode())).metadata
    assert both["taken"].startswith("2019")


def test_iptc_records_of_a_jpeg_are_read():
    block = records(
        title=[b"Port"], keyword=["море".encode(), b"caf\xe9"], day=[b"20190503"], time=[b"171022+0300"],
        city=[b"Ventspils"], country=[b"Latvia"], caption=[b"Cranes"],
    )  # fmt: skip
    found = decode_picture(in_app13(block)).metadata
    assert (found["taken"], found["taken_from"]) == ("2019-05-03T17:10:22+03:00", "iptc")
    assert (found["tags"], found["title"], found["caption"]) == (["море", "café"], "Port", "Cranes")
    assert (found["city"], found["country"]) == ("Ventspils", "Latvia")


def test_a_packet_with_entities_or_of_great_size_is_not_even_parsed():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + XMP
    assert read_xmp(bomb) == {}
    assert read_xmp(b"\xfe\xff" + bomb.encode("utf-16-be")) == {}
    assert read_xmp(XMP + " " * (5 << 20)) == {}


@given(st.binary(max_size=200))
def test_garbage_says_nothing_and_breaks_nothing(garbage):
    for found in (
        read_iptc(garbage),
        read_iptc(b"\x1c\x02" + garbage),
        read_xmp(garbage),
        read_xmp(XMP.encode()[:300] + garbage),
    ):
        json.dumps(found)


def test_colours_and_shape_are_told_of_every_picture():
    found = decode_picture(encoded(card(), "PNG")).metadata
    assert found["orientation"] == "landscape"
    assert set(found["colours"]) == {"red", "green", "blue", "yellow"}
    assert decode_picture(encoded(card(64, 96), "PNG")).metadata["orientation"] == "portrait"
    assert decode_picture(encoded(card(64, 64), "PNG")).metadata["orientation"] == "square"
