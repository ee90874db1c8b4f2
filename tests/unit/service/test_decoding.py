"""Pictures that are sent are decoded apart: what takes too long or is none costs its sender an error."""

from __future__ import annotations

import io
import threading

import pytest
from PIL import Image

from lookalike.core.errors import CannotDecode
from lookalike.core.records import DecodeLimits
from lookalike.service.decoding import Decoding

SIDE = 64


def encoded(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def decoding():
    opened = Decoding(2)
    yield opened
    opened.close()


def test_a_picture_comes_back_with_its_size_and_colour(decoding):
    picture = decoding.decode(encoded(300, 200), SIDE, DecodeLimits())
    assert (picture.width, picture.height, picture.format) == (300, 200, "PNG")
    assert tuple(picture.pixels[0, 0]) == (200, 30, 30)


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (b"", DecodeLimits(), "empty"),
        (b"<html>", DecodeLimits(), "unsupported"),
        (encoded(300, 200)[:80], DecodeLimits(), "damaged"),
        (encoded(300, 200), DecodeLimits(max_pixels=1000), "too-large"),
        (encoded(300, 200), DecodeLimits(max_bytes=100), "too-big"),
        (encoded(6000, 6000), DecodeLimits(timeout_s=0.01), "too-slow"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_cannot_be_used_says_why_and_the_next_one_is_decoded(decoding, data, limits, code):
    with pytest.raises(CannotDecode) as refused:
        decoding.decode(data, SIDE, limits)
    assert refused.value.code == code
    assert decoding.decode(encoded(30, 20), SIDE, DecodeLimits()).width == 30


def test_more_threads_than_processes_wait_for_each_other(decoding):
    widths = []

    def decode(width: int) -> None:
        widths.append(decoding.decode(encoded(width, 20), SIDE, DecodeLimits()).width)

    threads = [threading.Thread(target=decode, args=(width,)) for width in range(20, 28)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(widths) == list(range(20, 28))
