"""Odd, hostile and broken files, made on the spot: what no folder of real pictures is without.

`write_odd_files` fills a folder and says what has to become of each file; `card` and `encoded` draw
the picture inside the sound ones.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WIDTH, HEIGHT = 96, 64
CORNERS = {
    "top left": (220, 40, 40),
    "top right": (40, 180, 60),
    "bottom left": (40, 60, 200),
    "bottom right": (230, 210, 50),
}
PICTURE = "picture"
"""What becomes of a sound file; for the others it is the code of their `Skipped`."""
ORIENTATION = 0x0112


def card(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """A picture with four corners of different colours: any turn or mirroring shows."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    for name, colour in CORNERS.items():
        rows = slice(0, height // 2) if name.startswith("top") else slice(height // 2, None)
        columns = slice(0, width // 2) if name.endswith("left") else slice(width // 2, None)
        pixels[rows, columns] = colour
    return Image.fromarray(pixels)


@cache
def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """A smooth picture with noise, as photos are."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    return Image.fromarray(np.clip(smooth + random.integers(-8, 9, smooth.shape), 0, 255).astype(np.uint8))


def corners(pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """The colour at the middle of each quarter."""
    height, width = pixels.shape[:2]
    rows = {"top": height // 4, "bottom": 3 * height // 4}
    columns = {"left": width // 4, "right": 3 * width // 4}
    return {f"{row} {column}": pixels[rows[row], columns[column]] for row in rows for column in columns}


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """The image as a file's bytes."""
    stream = io.BytesIO()
    if format == "HEIF":
        pillow_heif.from_pillow(image).save(stream, **options)
    else:
        image.save(stream, format, **options)
    return stream.getvalue()


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """What a camera stores when the upright picture is `image` and it writes that EXIF orientation."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    return image if orientation == 1 else image.transpose(Image.Transpose(undo[orientation]))


def exif(**tags: Any) -> bytes:
    """EXIF with an orientation, and nothing else."""
    written = Image.Exif()
    written[ORIENTATION] = tags["orientation"]
    return written.tobytes()


def swapped_profile() -> bytes:
    """An ICC profile that is not sRGB, so that obeying it shows: its own primaries in another order."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.find(b"rXYZ"), profile.find(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    name = "sRGB built-in".encode("utf-16-be")
    return bytes(profile).replace(name, "swapped prims".encode("utf-16-be"))


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bomb(side: int = 20_000) -> bytes:
    """A small PNG file of side x side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def png_with_text_bomb() -> bytes:
    """A PNG file with a comment that unpacks to 64 MB."""
    plain = encoded(card(), "PNG")
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64_000_000), 9))
    return plain[:33] + text + plain[33:]


def camera_raw(preview: bytes, orientation: int = 1) -> bytes:
    """An Adobe DNG file of WIDTH x HEIGHT grey sensor values with that JPEG as its preview."""
    sensor = struct.pack("<H", 3_000) * (WIDTH * HEIGHT)
    sensor_at, preview_at = 8, 8 + len(sensor)
    directory_at = preview_at + len(preview) + len(preview) % 2
    identity = struct.pack("<18i", 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)

    def directory(at: int, *tags: tuple[int, int, int, bytes]) -> bytes:
        entries, rest_at, rest = b"", at + 2 + 12 * len(tags) + 4, b""
        for tag, kind, count, value in tags:
            entries += struct.pack("<HHI", tag, kind, count)
            entries += value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", rest_at + len(rest))
            rest += b"" if len(value) <= 4 else value + b"\0" * (len(value) % 2)
        return struct.pack("<H", len(tags)) + entries + b"\0\0\0\0" + rest

    def main(preview_directory_at: int) -> bytes:
        return directory(
            directory_at,
            *(
                _long(254, 0),
                _long(256, WIDTH),
                _long(257, HEIGHT),
                _short(258, 16),
                _short(259, 1),
                _short(262, 32803),
            ),
            *((271, 2, 6, b"Maker\0"), (272, 2, 6, b"Model\0"), _long(273, sensor_at), _short(274, orientation)),
            *(_short(277, 1), _long(278, HEIGHT), _long(279, len(sensor)), _long(330, preview_directory_at)),
            *((33421, 3, 2, b"\2\0\2\0"), (33422, 1, 4, b"\0\1\1\2"), (50706, 1, 4, b"\1\4\0\0")),
            *((50708, 2, 12, b"Maker Model\0"), _long(50717, 65535), (50721, 10, 9, identity)),
        )

    preview_directory_at = directory_at + len(main(0))
    small = directory(
        preview_directory_at,
        *(_long(254, 1), _long(256, WIDTH), _long(257, HEIGHT), (258, 3, 3, b"\x08\0\x08\0\x08\0"), _short(259, 7)),
        *(_short(262, 6), _long(273, preview_at), _short(277, 3), _long(278, HEIGHT), _long(279, len(preview))),
    )
    head = b"II*\0" + struct.pack("<I", directory_at) + sensor + preview
    return head.ljust(directory_at, b"\0") + main(preview_directory_at) + small


def _long(tag: int, value: int) -> tuple[int, int, int, bytes]:
    return tag, 4, 1, struct.pack("<I", value)


def _short(tag: int, value: int) -> tuple[int, int, int, bytes]:
    return tag, 3, 1, struct.pack("<H", value)


@cache
def sound_files() -> dict[bytes, bytes]:
    """Files of every kind that has to become a picture, by name."""
    image, grey = card(), card().convert("L")
    deep = Image.fromarray(np.asarray(grey, dtype=np.uint16) * 257)
    return {
        b"cmyk.jpg": encoded(image.convert("CMYK"), "JPEG", quality=95),
        b"orientation 6.jpg": encoded(turned(image, 6), "JPEG", exif=exif(orientation=6), quality=95),
        b"progressive.jpeg": encoded(image, "JPEG", progressive=True),
        b"deep.png": encoded(deep, "PNG"),
        b"palette.png": encoded(image.convert("P"), "PNG"),
        b"clear.png": encoded(image.convert("RGBA"), "PNG"),
        b"one bit.png": encoded(grey.convert("1"), "PNG"),
        b"broken profile.png": encoded(image, "PNG", icc_profile=b"no profile at all"),
        b"photo.webp": encoded(image, "WEBP"),
        b"photo.avif": encoded(image, "AVIF"),
        b"photo.heic": encoded(image, "HEIF"),
        b"deep.tif": encoded(deep, "TIFF"),
        b"float.tiff": encoded(grey.convert("F"), "TIFF"),
        b"first of two.gif": encoded(image, "GIF", save_all=True, append_images=[image.rotate(180)]),
        b"plain.bmp": encoded(image, "BMP"),
        b"plain.jp2": encoded(image, "JPEG2000"),
        b"plain.ppm": encoded(image, "PPM"),
        b"deep.pgm": encoded(deep, "PPM"),
        b"icon.ico": encoded(image, "ICO", sizes=[(16, 16), (48, 32)]),
        b"really a PNG.jpg": encoded(image, "PNG"),
        b"no suffix": encoded(image, "JPEG"),
        b"kept.jpg_original": encoded(image, "JPEG"),
        b"line\nbreak.jpg": encoded(image, "JPEG"),
        b"CAPITALS.JPG": encoded(image, "JPEG"),
    }


@cache
def broken_files() -> dict[bytes, tuple[str, bytes]]:
    """Files that cannot be taken, by name: the code that says why, and their bytes."""
    jpeg, heic = encoded(photo(400, 300), "JPEG"), encoded(card(), "HEIF")
    return {
        b"empty.jpg": ("empty", b""),
        b"half.jpg": ("damaged", jpeg[: len(jpeg) // 2]),
        b"head only.png": ("damaged", encoded(card(), "PNG")[:40]),
        b"half.heic": ("damaged", heic[: len(heic) // 2]),
        b"words.jpg": ("unsupported", b"not a picture at all, but a letter"),
        b"drawing.png": ("unsupported", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        b"program.png": ("unsupported", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        b"later.jxl": ("unsupported", b"\xff\x0a\xfa\x1f\x41\x91"),
        b"bomb.png": ("too-large", png_bomb()),
        b"text bomb.png": ("damaged", png_with_text_bomb()),
    }


def write_odd_files(folder: Path) -> dict[bytes, str]:
    """Fill a folder; what has to become of each entry, by its name: PICTURE or the code of its `Skipped`.

    Where the system allows: also a pipe, a link to nothing and a name that is not text.
    """
    fates: dict[bytes, str] = {}
    root = os.fsencode(folder)
    for name, content in sound_files().items():
        fates[name] = _write(root, name, content, PICTURE)
    for name, (code, content) in broken_files().items():
        fates[name] = _write(root, name, content, code)
    os.mkdir(os.path.join(root, b"album.jpg"))
    fates[b"album.jpg"] = "not-a-file"
    if os.name == "posix":
        os.mkfifo(os.path.join(root, b"pipe.jpg"))
        os.symlink(b"nowhere", os.path.join(root, b"gone.jpg"))
        os.symlink(b".", os.path.join(root, b"round and round"))
        fates |= {b"pipe.jpg": "not-a-file", b"gone.jpg": "broken-link"}
        try:
            fates[b"not text \xff\xfe.jpg"] = _write(root, b"not text \xff\xfe.jpg", encoded(card(), "JPEG"), PICTURE)
        except OSError:
            fates.pop(b"not text \xff\xfe.jpg", None)  # macOS keeps only text as names
    return fates


def _write(root: bytes, name: bytes, content: bytes, fate: str) -> str:
    with open(os.path.join(root, name), "wb") as file:
        file.write(content)
    return fate
