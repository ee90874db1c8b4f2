"""Copies photos and writes new dates, offsets, positions and orientations into them with exiftool, by a fixed seed.

    python tools/redate_photos.py FOLDER TARGET [--count 10000]

What `tools/check_metadata.py` then compares is written by another program than the one that reads it.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

OFFSETS = ("+00:00", "+02:00", "-05:00", "+05:30", "+05:45", "-03:30", "+13:00", "-10:00")
FIRST = datetime(1990, 1, 1, tzinfo=UTC)
DATES = "DateTimeOriginal CreateDate ModifyDate"
OTHERS = "XMP-exif:DateTimeOriginal XMP-photoshop:DateCreated XMP-xmp:CreateDate IPTC:DateCreated IPTC:TimeCreated"


def row(draw: random.Random) -> dict[str, object]:
    moment = FIRST + timedelta(seconds=draw.randrange(36 * 365 * 86_400))
    text, offset = moment.strftime("%Y:%m:%d %H:%M:%S"), draw.choice(OFFSETS)
    tags: dict[str, object] = {}
    kind = draw.random()
    if kind < 0.7:  # as cameras write
        tags |= {f"ExifIFD:{name}" if name != "ModifyDate" else "IFD0:ModifyDate": text for name in DATES.split()}
        if draw.random() < 0.5:
            tags["ExifIFD:OffsetTimeOriginal"] = offset
        if draw.random() < 0.4:
            tags["ExifIFD:SubSecTimeOriginal"] = draw.choice(("5", "27", "123", "007", "998877"))
        if draw.random() < 0.2:  # edited years later
            tags["IFD0:ModifyDate"] = (moment + timedelta(days=900)).strftime("%Y:%m:%d %H:%M:%S")
            tags["ExifIFD:OffsetTime"] = draw.choice(OFFSETS)
    elif kind < 0.75:
        tags["ExifIFD:CreateDate"] = text
    elif kind < 0.8:
        tags["IFD0:ModifyDate"] = text
    elif kind < 0.95:
        name = draw.choice(OTHERS.split()[:3])
        tags[name] = text + draw.choice(("", offset, ".25"))
    else:
        tags |= {"IPTC:DateCreated": text[:10], "IPTC:TimeCreated": text[11:] + offset}
    if draw.random() < 0.6:
        latitude, longitude = draw.uniform(-90, 90), draw.uniform(-180, 180)
        tags |= {
            "GPS:GPSLatitude": round(abs(latitude), 6),
            "GPS:GPSLatitudeRef": "S" if latitude < 0 else "N",
            "GPS:GPSLongitude": round(abs(longitude), 6),
            "GPS:GPSLongitudeRef": "W" if longitude < 0 else "E",
        }
    if draw.random() < 0.6:
        tags["IFD0:Orientation"] = draw.randint(1, 8)
    return tags


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    asked = parser.parse_args()
    asked.target.mkdir()
    draw = random.Random(11)
    photos = sorted(asked.folder.glob("*.jpg"))[: asked.count]
    rows = [{"SourceFile": shutil.copy(file, asked.target), **row(draw)} for file in photos]
    names = list(dict.fromkeys(name for each in rows for name in each))
    table = asked.target / "tags.csv"
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)
    subprocess.run(["exiftool", "-n", "-overwrite_original", "-q", f"-csv={table}", str(asked.target)], check=True)
    table.unlink()


if __name__ == "__main__":
    main()
