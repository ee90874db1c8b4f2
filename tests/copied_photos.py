"""Photos with something to see everywhere, and copies of them, for tests of duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

MOMENT, NEXT = "2021:07:03 10:11:12", "2021:07:03 10:11:13"


def photo(seed: int, width: int = 480, height: int = 360) -> Image.Image:
    """A picture like no other seed's."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def taken(moment: str, camera: str = "Canon EOS 80D") -> Image.Exif:
    """What a camera writes."""
    exif = Image.Exif()
    exif[0x0110] = camera
    exif.get_ifd(0x8769)[0x9003] = moment
    return exif


def save_groups(folder: Path, count: int) -> None:
    """`count` photos, each as N.jpg with a camera's words, N-again.jpg and N-small.webp; and two that are alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = photo(number)
        image.save(folder / f"{number}.jpg", quality=92, exif=taken(MOMENT))
        image.save(folder / f"{number}-again.jpg", quality=60)
        image.resize((240, 180), Image.Resampling.LANCZOS).save(folder / f"{number}-small.webp", quality=80)
    for number in (1000, 1001):
        photo(number).save(folder / f"{number}.jpg")
