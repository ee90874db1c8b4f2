"""Bytes in, upright sRGB pixels or a reason out."""

from __future__ import annotations

import io
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin

from lookalike.core.errors import CannotDecode
from lookalike.core.records import DecodeLimits
from lookalike.images.decode import decode_picture
from odd_files import (
    CORNERS,
    broken_files,
    card,
    corners,
    encoded,
    exif,
    photo,
    png_bomb,
    png_chunk,
    sound_files,
    swapped_profile,
    turned,
)

NEAR = 8  # largest difference of a channel that lossy codecs may make on flat colours


@cache
def photo_file(width, height, format):
    return encoded(photo(width, height), format)


def outcome(content):
    """The code of the refusal, or "picture"; any other error is a failure of the test."""
    try:
        picture = decode_picture(content, limits=DecodeLimits(max_pixels=1_000_000))
    except CannotDecode as error:
        return error.code
    return "picture" if picture.pixels.shape[2] == 3 else "no pixels"


def assert_is_card(pixels, tolerance=NEAR):
    for name, colour in corners(pixels).items():
        assert np.abs(colour.astype(int) - CORNERS[name]).max() <= tolerance, name


@pytest.mark.parametrize("name", sorted(sound_files()), ids=repr)
def test_every_sound_file_becomes_upright_rgb_pixels(name):
    picture = decode_picture(sound_files()[name])
    assert picture.pixels.shape == (picture.height, picture.width, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.width * 2 == picture.height * 3


@pytest.mark.parametrize("name", sorted(broken_files()), ids=repr)
def test_every_broken_file_is_refused_with_its_code_and_a_sentence(name):
    code, content = broken_files()[name]
    with pytest.raises(CannotDecode) as caught:
        decode_picture(content)
    assert caught.value.code == code
    assert len(str(caught.value)) > 10


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_all_eight_exif_orientations_come_out_upright_and_turned_once(format, orientation):
    stored = encoded(turned(card(), orientation), format, exif=exif(orientation=orientation))
    picture = decode_picture(stored)
    assert (picture.width, picture.height) == (96, 64)
    assert_is_card(picture.pixels)


def test_an_orientation_that_does_not_exist_changes_nothing():
    assert_is_card(decode_picture(encoded(card(), "JPEG", exif=exif(orientation=77), quality=95)).pixels)


def test_garbage_in_exif_costs_the_metadata_and_not_the_picture():
    picture = decode_picture(encoded(card(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f garbage", quality=95))
    assert_is_card(picture.pixels)
    assert set(picture.metadata) == {"orientation", "colours"}


def test_transparent_pixels_show_white_in_every_mode_that_has_them():
    clear = card().convert("RGBA")
    clear.putalpha(0)
    palette = Image.new("P", (8, 8), 0)
    deep = Image.fromarray(np.full((8, 8), 900, dtype=np.uint16))
    files = {
        "RGBA": encoded(clear, "PNG"),
        "RGBA WebP": encoded(clear, "WEBP", lossless=True),
        "LA": encoded(clear.convert("LA"), "PNG"),
        "palette": encoded(palette, "PNG", transparency=0),
        "RGB with one clear colour": encoded(Image.new("RGB", (8, 8), (9, 9, 9)), "PNG", transparency=(9, 9, 9)),
        "grey with one clear tone": encoded(Image.new("L", (8, 8), 9), "PNG", transparency=9),
        "sixteen bits with one clear tone": encoded(deep, "PNG", transparency=900),
        "GIF": encoded(palette, "GIF", transparency=0),
    }
    for name, content in files.items():
        assert decode_picture(content).pixels.min() == 255, name


def test_half_transparent_colour_mixes_with_white():
    content = encoded(Image.new("RGBA", (8, 8), (200, 0, 0, 128)), "PNG")
    assert decode_picture(content).pixels[0, 0].tolist() == [227, 127, 127]


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_keeps_its_tones(format):
    ramp = np.linspace(0, 65535, 256 * 4).astype(np.uint16).reshape(4, 256)
    pixels = decode_picture(encoded(Image.fromarray(ramp), format)).pixels
    assert np.abs(pixels[..., 0].astype(float) - ramp / 257).max() <= 0.5


def test_float_pictures_keep_their_tones_whatever_white_they_use_and_survive_nan():
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    for white in (1, 255, 65535):
        pixels = decode_picture(encoded(Image.fromarray(ramp * white), "TIFF")).pixels
        assert np.abs(pixels[..., 0] - ramp * 255).max() <= 0.5
    ramp[3, 3] = np.nan
    pixels = decode_picture(encoded(Image.fromarray(ramp * 9 - 7), "TIFF")).pixels
    assert [pixels[0, 0, 0], pixels[3, 3, 0], pixels[-1, -1, 0]] == [0, 0, 255]


def test_an_embedded_profile_is_obeyed():
    plain = decode_picture(encoded(card(), "PNG"))
    swapped = decode_picture(encoded(card(), "PNG", icc_profile=swapped_profile()))
    red, blue = CORNERS["top left"], CORNERS["bottom left"]
    assert_is_card(plain.pixels, 0)
    assert corners(swapped.pixels)["top left"][2] > red[2] + 100
    assert corners(swapped.pixels)["bottom left"][0] > blue[0] + 100
    assert swapped.pixels_digest != plain.pixels_digest


@pytest.mark.parametrize("side", [16, 60, 128, 224, 256, 384])
@pytest.mark.parametrize(("format", "size"), [("JPEG", (2400, 1800)), ("PNG", (1000, 700)), ("JPEG", (300, 200))])
def test_reduced_pixels_keep_twice_the_side_and_stay_bounded(format, size, side):
    picture = decode_picture(photo_file(*size, format), side=side)
    height, width = picture.pixels.shape[:2]
    assert (picture.width, picture.height) == size
    assert min(width, height) >= min(2 * side, *size)
    assert min(width, height) < 8 * side or (width, height) == size
    assert width / height == pytest.approx(size[0] / size[1], rel=0.03)


def test_a_reduced_picture_looks_like_the_full_one_made_small():
    content = photo_file(2400, 1800, "JPEG")
    full, reduced = decode_picture(content), decode_picture(content, side=112)
    size = (64, 48)
    small = [np.asarray(Image.fromarray(p.pixels).resize(size, Image.Resampling.BOX), float) for p in (full, reduced)]
    assert np.abs(small[0] - small[1]).mean() < 1


def test_a_ribbon_stays_bounded_too():
    picture = decode_picture(encoded(Image.new("L", (60_000, 200)), "PNG"), side=32)
    assert (picture.width, picture.height) == (60_000, 200)
    assert picture.pixels.size <= 3 * 4 * 64 * 128 * 128


def test_the_digest_of_pixels_does_not_depend_on_the_side_asked_for():
    for content in (photo_file(2400, 1800, "JPEG"), photo_file(900, 1300, "PNG"), encoded(card(), "JPEG")):
        digests = {decode_picture(content, side=side).pixels_digest for side in (None, 32, 128, 224, 300, 384)}
        assert len(digests) == 1


def test_rewriting_metadata_keeps_the_digest_of_pixels_and_changes_that_of_bytes():
    image = photo(1200, 900)
    plain = encoded(image, "JPEG")
    tagged = encoded(image, "JPEG", exif=exif(orientation=1), comment=b"five stars")
    one, other = decode_picture(plain, side=128), decode_picture(tagged, side=128)
    assert one.pixels_digest == other.pixels_digest
    assert one.bytes_digest != other.bytes_digest


def test_equal_upright_pixels_have_one_digest_however_they_are_stored():
    image = photo(560, 420)
    stored = [
        encoded(image, "PNG", compress_level=1),
        encoded(image, "PNG", compress_level=9, exif=exif(orientation=1)),
        encoded(image, "BMP"),
        encoded(image, "TIFF", compression="tiff_lzw"),
        encoded(image, "WEBP", lossless=True),
        *(encoded(turned(image, o), "PNG", exif=exif(orientation=o)) for o in range(2, 9)),
    ]
    assert len({decode_picture(content, side=64).pixels_digest for content in stored}) == 1


def test_other_pixels_have_another_digest():
    image = photo(900, 700)
    changed = image.copy()
    changed.paste((255, 255, 255), (450, 350, 458, 358))
    lossless = [decode_picture(encoded(i, "PNG"), side=64).pixels_digest for i in (image, changed, turned(image, 3))]
    assert len(set(lossless)) == 3
    flat = [decode_picture(encoded(Image.new("L", size, 9), "PNG")).pixels_digest for size in ((600, 400), (601, 400))]
    assert flat[0] != flat[1]


def test_more_pixels_than_the_limit_are_refused_before_decoding():
    with pytest.raises(CannotDecode, match="400 x 300 pixels") as caught:
        decode_picture(encoded(photo(400, 300), "JPEG"), limits=DecodeLimits(max_pixels=100_000))
    assert caught.value.code == "too-large"
    assert decode_picture(encoded(photo(400, 300), "JPEG"), limits=DecodeLimits(max_pixels=120_000)).width == 400


def test_a_limit_above_pillows_own_holds():
    """Pillow alone refuses 179 million pixels; a panorama of 200 million is fine here."""
    picture = decode_picture(png_bomb(14_000), side=32)
    assert (picture.width, picture.height) == (14_000, 14_000)


def test_more_bytes_than_the_limit_are_refused():
    with pytest.raises(CannotDecode, match="more than the limit") as caught:
        decode_picture(encoded(card(), "PNG"), limits=DecodeLimits(max_bytes=99))
    assert caught.value.code == "too-big"


def test_a_profile_that_unpacks_to_much_does_not_fill_the_memory():
    plain = encoded(card(), "PNG")
    profile = png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(64_000_000), 9))
    assert outcome(plain[:33] + profile + plain[33:]) in {"picture", "damaged"}


def test_every_truncation_of_a_file_is_a_picture_or_a_reason():
    files = [
        encoded(card(), f) for f in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "JPEG2000", "ICO", "AVIF", "HEIF")
    ]
    for content in files:
        for cut in range(0, len(content), max(1, len(content) // 40)):
            assert outcome(content[:cut]) in {"picture", "empty", "damaged", "unsupported", "too-large"}


def test_flipped_bytes_are_a_picture_or_a_reason():
    random = np.random.default_rng(5)
    for format in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "JPEG2000", "ICO"):
        content = encoded(card(), format)
        for _ in range(40):
            hurt = bytearray(content)
            for position in random.integers(0, len(content), 3):
                hurt[position] ^= 1 << int(random.integers(8))
            assert outcome(bytes(hurt)) in {"picture", "damaged", "unsupported", "too-large", "needs-extra"}


def test_pillows_settings_and_warning_filters_stay_as_they_were():
    settings = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)
    filters, registered = list(warnings.filters), dict(Image.OPEN)
    for content in sound_files().values():
        decode_picture(content)
    assert settings == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)
    assert list(warnings.filters) == filters
    assert registered.get("HEIF") is Image.OPEN.get("HEIF")


def test_threads_may_decode_at_once():
    files = list(sound_files().values())
    alone = [decode_picture(content, side=16).pixels_digest for content in files]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda content: decode_picture(content, side=16).pixels_digest, files * 3))
    assert together == alone * 3


def test_the_biggest_picture_of_an_icon_file_is_taken():
    stream = io.BytesIO()
    card(128, 128).save(stream, "ICO", sizes=[(16, 16), (128, 128), (32, 32)])
    assert decode_picture(stream.getvalue()).pixels.shape == (128, 128, 3)
