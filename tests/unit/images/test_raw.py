"""Camera RAW files by the preview the camera put into them (extra `raw`)."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lookalike.core.errors import CannotDecode
from lookalike.images.decode import decode_picture
from odd_files import CORNERS, camera_raw, card, corners, encoded, turned


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_preview_is_decoded_upright(orientation):
    picture = decode_picture(camera_raw(encoded(turned(card(), orientation), "JPEG", quality=95), orientation))
    assert picture.format == "RAW"
    assert picture.metadata["camera"] == "Maker Model"
    for name, colour in corners(picture.pixels).items():
        assert np.abs(colour.astype(int) - CORNERS[name]).max() <= 8, name


def test_width_and_height_are_those_of_the_sensor():
    small = encoded(card(48, 32), "JPEG")
    picture, sideways = decode_picture(camera_raw(small)), decode_picture(camera_raw(small, 6))
    assert (picture.width, picture.height, picture.pixels.shape) == (96, 64, (32, 48, 3))
    assert (sideways.width, sideways.height) == (64, 96)


@pytest.mark.parametrize("content", [b"II*\0", b"IIU\0\x18\0\0\0", b"FUJIFILMCCD-RAW 0201", camera_raw(b"no JPEG")])
def test_a_broken_raw_file_is_refused_with_a_reason(content):
    with pytest.raises(CannotDecode) as caught:
        decode_picture(content)
    assert caught.value.code == "damaged"


def test_without_the_extra_it_says_what_to_install():
    program = (
        "import sys; sys.modules['rawpy'] = None\n"
        "from lookalike.images.decode import decode_picture\n"
        "from lookalike.core.errors import CannotDecode\n"
        "try: decode_picture(sys.stdin.buffer.read())\n"
        "except CannotDecode as error: print(error.code, error.hint)"
    )
    content = camera_raw(encoded(card(), "JPEG"))
    done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True)
    assert done.stdout.decode().strip() == 'needs-extra pip install "lookalike[raw]"'
