"""Edited photos whose kinds are known, as files: what duplicates are measured on.

    python tools/bench/duplicates_set.py --out DIR --photos FOLDER:COUNT [--photos ...]

writes OUT/edits/NNNN-EDIT.EXT for photos drawn by the seed from each folder, `original` and every edit of `EDITS`;
OUT/bursts/NNNN-SHOT.jpg, three consecutive crops of a photo each with its own EXIF time, and OUT/truth.csv (file,
photo, edit, kind, source). Half of the photos have a camera and a capture time, and so have edits that keep metadata.
What is there already is left as it is.
"""

from __future__ import annotations

import csv
import io
import random
from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pillow_heif
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 14
SHOTS = 3
_PHOTOS = {".jpg", ".jpeg", ".png"}
_KEEPS_METADATA = ("original", "jpeg-95", "jpeg-60", "half", "crop-80")
_SUFFIXES = {"JPEG": "jpg", "HEIF": "heic"}
_DRIFT = 0.04
"""How far the next shot of a burst has moved, of the longer side."""


def saved(image: Image.Image, format: str, exif: bytes = b"", **options: object) -> bytes:
    stream = io.BytesIO()
    more = {"exif": exif} if exif else {}
    image.save(stream, format, **options, **more)
    return stream.getvalue()


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize(
        (max(8, round(image.width * factor)), max(8, round(image.height * factor))), Image.Resampling.LANCZOS
    )


def cropped(image: Image.Image, share: float, draw: random.Random) -> Image.Image:
    """A part with `share` of each side, anywhere."""
    width, height = round(image.width * share), round(image.height * share)
    left, top = draw.randint(0, image.width - width), draw.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))


def bordered(image: Image.Image, draw: random.Random) -> Image.Image:
    width = round(max(image.size) * draw.uniform(0.03, 0.12))
    return ImageOps.expand(image, width, draw.choice(["white", "black", "#806040"]))


def marked(image: Image.Image, draw: random.Random) -> Image.Image:
    """A line of text painted half through, somewhere."""
    above = Image.new("RGBA", image.size)
    pen, size = ImageDraw.Draw(above), max(9, round(image.width * draw.uniform(0.05, 0.09)))
    text, font = draw.choice(["(c) A. Nonymous 2019", "SAMPLE", "www.example.org"]), ImageFont.load_default(size)
    wide = pen.textlength(text, font)
    at = (draw.uniform(0, max(0.0, image.width - wide)), draw.uniform(0, max(0.0, image.height - size * 1.3)))
    pen.text(at, text, font=font, fill=(255, 255, 255, 170), stroke_width=1, stroke_fill=(0, 0, 0, 120))
    return Image.alpha_composite(image.convert("RGBA"), above).convert("RGB")


def recoloured(image: Image.Image, draw: random.Random) -> Image.Image:
    """Brighter, darker, more contrast, grey, or other hues."""
    way = draw.choice(["bright", "dark", "contrast", "grey", "saturated", "hue"])
    if way == "grey":
        return image.convert("L").convert("RGB")
    if way == "hue":
        hue, saturation, value = image.convert("HSV").split()
        turned = hue.point([(level + 20) % 256 for level in range(256)])
        return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    if way in ("bright", "dark"):
        return ImageEnhance.Brightness(image).enhance(1.35 if way == "bright" else 0.65)
    if way == "contrast":
        return ImageEnhance.Contrast(image).enhance(1.5)
    return ImageEnhance.Color(image).enhance(1.8)


def _turned(image: Image.Image, way: Image.Transpose) -> Image.Image:
    return image.transpose(way)


Edit = tuple[str, str, str, "Callable[[Image.Image, random.Random], Image.Image]", dict[str, object]]
EDITS: tuple[Edit, ...] = (
    ("jpeg-95", "copy", "JPEG", lambda image, _: image, {"quality": 95}),
    ("jpeg-60", "copy", "JPEG", lambda image, _: image, {"quality": 60}),
    ("jpeg-30", "copy", "JPEG", lambda image, _: image, {"quality": 30}),
    ("half", "copy", "JPEG", lambda image, _: scaled(image, 0.5), {"quality": 85}),
    ("larger", "copy", "JPEG", lambda image, _: scaled(image, 1.6), {"quality": 90}),
    ("webp", "copy", "WEBP", lambda image, _: image, {"quality": 75}),
    ("gif", "copy", "GIF", lambda image, _: image, {}),
    ("avif", "copy", "AVIF", lambda image, _: image, {"quality": 60}),
    ("heic", "copy", "HEIF", lambda image, _: image, {"quality": 60}),
    ("small-webp", "copy", "WEBP", lambda image, _: scaled(image, 0.6), {"quality": 50}),
    ("crop-80", "edited", "JPEG", lambda image, draw: cropped(image, 0.8, draw), {"quality": 90}),
    ("crop-60", "edited", "JPEG", lambda image, draw: cropped(image, 0.6, draw), {"quality": 90}),
    ("mirror", "edited", "JPEG", lambda image, _: _turned(image, Image.Transpose.FLIP_LEFT_RIGHT), {"quality": 90}),
    ("turn-90", "edited", "JPEG", lambda image, _: _turned(image, Image.Transpose.ROTATE_90), {"quality": 90}),
    ("turn-180", "edited", "JPEG", lambda image, _: _turned(image, Image.Transpose.ROTATE_180), {"quality": 90}),
    ("border", "edited", "JPEG", bordered, {"quality": 90}),
    ("watermark", "edited", "JPEG", marked, {"quality": 90}),
    ("colour", "edited", "JPEG", recoloured, {"quality": 90}),
    (
        "crop-colour",
        "edited",
        "JPEG",
        lambda image, draw: recoloured(cropped(image, draw.uniform(0.7, 0.9), draw), draw),
        {"quality": 50},
    ),
    (
        "mirror-border-small",
        "edited",
        "WEBP",
        lambda image, draw: scaled(bordered(_turned(image, Image.Transpose.FLIP_LEFT_RIGHT), draw), 0.6),
        {"quality": 70},
    ),
    (
        "mark-colour-crop",
        "edited",
        "JPEG",
        lambda image, draw: marked(recoloured(cropped(image, 0.85, draw), draw), draw),
        {"quality": 60},
    ),
)
"""Name, kind, format, what is done, how it is saved. Also "png": the same pixels in another format, and "bytes"."""


def exif_of(moment: datetime, camera: str) -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", camera
    details = exif.get_ifd(0x8769)
    details[0x9003] = moment.strftime("%Y:%m:%d %H:%M:%S")
    details[0x9291] = f"{moment.microsecond // 1000:03d}"
    return exif.tobytes()


def write_edits(photo: Path, number: int, folder: Path) -> list[tuple[str, str, str]]:
    """All versions of one photo: file, edit, kind."""
    draw = random.Random(f"{SEED}-{number}")
    image = Image.open(photo).convert("RGB")
    moment = datetime(2019, 5, 1) + timedelta(seconds=number * 7301)  # noqa: DTZ001 a camera's clock
    exif = exif_of(moment, "Canon EOS 80D") if number % 2 else b""
    first = saved(image, "JPEG", exif, quality=95)
    image = Image.open(io.BytesIO(first)).convert("RGB")
    written = [("original", "", "jpg", first), ("bytes", "same", "jpg", first)]
    written.append(("png", "same", "png", saved(image, "PNG")))
    for name, kind, format, change, options in EDITS:
        kept = exif if name in _KEEPS_METADATA else b""
        data = saved(change(image, draw), format, kept, **options)
        written.append((name, kind, _SUFFIXES.get(format, format.lower()), data))
    files = []
    for name, kind, suffix, data in written:
        file = folder / f"{number:04d}-{name}.{suffix}"
        if not file.exists():
            file.write_bytes(data)
        files.append((file.name, name, kind))
    return files


def write_burst(photo: Path, number: int, folder: Path) -> list[tuple[str, str, str]]:
    """Three shots: a window of 85 % that drifts over the photo, each saved with its time."""
    draw = random.Random(f"{SEED}-burst-{number}")
    image = Image.open(photo).convert("RGB")
    width, height = round(image.width * 0.85), round(image.height * 0.85)
    moment = datetime(2021, 7, 1) + timedelta(seconds=number * 7301)  # noqa: DTZ001 a camera's clock
    files = []
    for shot in range(SHOTS):
        moved = round(_DRIFT * shot * max(image.size))
        left, top = min(moved, image.width - width), min(moved // 2, image.height - height)
        window = image.crop((left, top, left + width, top + height))
        window = ImageEnhance.Brightness(window).enhance(draw.uniform(0.97, 1.03))
        file = folder / f"{number:04d}-shot{shot}.jpg"
        if not file.exists():
            file.write_bytes(saved(window, "JPEG", exif_of(moment, "Canon EOS 80D"), quality=92))
        files.append((file.name, f"shot{shot}", "burst"))
        moment += timedelta(milliseconds=draw.choice([130, 400, 1000, 2500]))
    return files


def drawn(asked: list[str]) -> list[tuple[Path, str]]:
    """Photos of FOLDER:COUNT each, with the folder's name."""
    photos = []
    for each in asked:
        folder, _, count = each.rpartition(":")
        there = sorted(file for file in Path(folder).rglob("*") if file.suffix.lower() in _PHOTOS)
        some = random.Random(SEED).sample(there, min(int(count), len(there)))
        photos += [(file, Path(folder).name) for file in some]
    return photos


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", action="append", required=True, help="FOLDER:COUNT")
    asked = parser.parse_args()
    pillow_heif.register_heif_opener()  # its wheels write HEIC too; a build without x265 does not
    edits, bursts = asked.out / "edits", asked.out / "bursts"
    for folder in (edits, bursts):
        folder.mkdir(parents=True, exist_ok=True)
    with (asked.out / "truth.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("file", "photo", "edit", "kind", "source"))
        for number, (photo, source) in enumerate(drawn(asked.photos)):
            for file, edit, kind in write_edits(photo, number, edits):
                table.writerow((f"edits/{file}", number, edit, kind, source))
            if number % 3 == 0:
                for file, edit, kind in write_burst(photo, number, bursts):
                    table.writerow((f"bursts/{file}", number, edit, kind, source))


if __name__ == "__main__":
    main()
