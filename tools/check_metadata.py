"""Dates, positions and orientations as lookalike reads them, beside exiftool's; every difference with its reason.

    apt install libimage-exiftool-perl
    python tools/check_metadata.py FOLDER ... [--json REPORT]

A file counts when lookalike decodes it and exiftool names its type. What is compared: the local time of the date it was
taken, with the offset where both have one; latitude and longitude to a millionth of a degree; the EXIF orientation. The
order in which dates are asked for is that of `images/embedded.py`, written here once more over exiftool's own values.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pillow_heif
from PIL import Image

from lookalike.core.errors import CannotDecode
from lookalike.core.fields import date_ns
from lookalike.core.records import Asset
from lookalike.images.decode import decode_image
from lookalike.images.exif import read_orientation
from lookalike.images.folder import folder

WORKERS = 1
MOMENT = re.compile(r"(\d{4})[:.-](\d\d)[:.-](\d\d)(?: (\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$")
DATES = (
    ("exif", ("IFD0", "ExifIFD", "IFD1"), "DateTimeOriginal", "SubSecTimeOriginal", "OffsetTimeOriginal"),
    ("exif", ("ExifIFD", "IFD0"), "CreateDate", "SubSecTimeDigitized", "OffsetTimeDigitized"),
    ("xmp", ("XMP-exif",), "DateTimeOriginal", "", ""),
    ("xmp", ("XMP-photoshop",), "DateCreated", "", ""),
    ("xmp", ("XMP-xmp",), "CreateDate", "", ""),
    ("iptc", ("IPTC",), "DateCreated", "TimeCreated", ""),
    ("exif", ("IFD0",), "ModifyDate", "SubSecTime", "OffsetTime"),
)
COORDINATE_TOLERANCE = 1e-6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    files = sorted(each for place in asked.folders for each in files_below(place))
    theirs = exiftool(files)
    with ProcessPoolExecutor(WORKERS) as pool:
        ours = dict(zip(files, pool.map(read, files, chunksize=64), strict=True))
    both = [file for file in files if ours[file] is not None and "FileType" in theirs.get(file, {})]
    agreed, differences = Counter(), []
    for file in both:
        for what, mine, other in compared(ours[file], theirs[file]):
            if same(what, mine, other):
                agreed[what] += mine is not None
            else:
                differences.append((what, file, mine, other, reason(what, mine, other, theirs[file])))
    if asked.json:
        asked.json.write_text(json.dumps(differences, indent=1))
    report(files, both, agreed, differences)


def files_below(place):
    return (each.uri for each in folder(place).assets() if isinstance(each, Asset))


def exiftool(files):
    with tempfile.NamedTemporaryFile("w", suffix=".args", encoding="utf-8", errors="surrogateescape") as arguments:
        arguments.write(
            "\n".join(
                [
                    "-json",
                    "-n",
                    "-G1",
                    "-a",
                    "-api",
                    "largefilesupport=1",
                    "-time:all",
                    "-gps:all",
                    "-Orientation",
                    "-XMP:all",
                    "-FileType",
                    "-Composite:GPSLatitude",
                    "-Composite:GPSLongitude",
                    *files,
                ]
            )
        )
        arguments.flush()
        done = subprocess.run(["exiftool", "-@", arguments.name], capture_output=True, check=False)
    found = {}
    for each in json.loads(done.stdout.decode("utf-8", "replace")):
        file = each.pop("SourceFile")
        found[file] = {**each, "FileType": each.get("File:FileType")} if each.get("File:FileType") else {}
    return found


def read(file):
    """What lookalike makes of a file; None when it does not take it."""
    try:
        decoded = decode_image(Path(file).read_bytes(), side=64)
    except CannotDecode:
        return None
    return {**decoded.metadata, "turn": turn(file)}


def turn(file):
    """The EXIF orientation, asked before loading, after which a TIFF is turned already, and after, for late chunks."""
    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(file) as image:
            before = read_orientation(image)
            image.load()
            return before or read_orientation(image)
    except Exception:  # formats that only `decode` opens, and names that say something else
        return 0


def compared(ours, theirs):
    """(what, ours, exiftool's) for everything that one of both says."""
    yield "date", ours.get("taken") if ours.get("taken_from") in ("exif", "xmp", "iptc") else None, date_of(theirs)
    for what in ("latitude", "longitude"):
        yield what, ours.get(what), theirs.get(f"Composite:GPS{what.title()}")
    yield "orientation", ours["turn"] or None, theirs.get("IFD0:Orientation", theirs.get("XMP-tiff:Orientation"))


def date_of(theirs):
    """ISO 8601 by exiftool's values, in lookalike's order of dates."""
    for _, groups, name, parts, offset in DATES:
        for group in groups:
            text = str(theirs.get(f"{group}:{name}", ""))
            if group == "IPTC" and text:
                text = f"{text} {theirs.get(f'IPTC:{parts}', '00:00:00')}"
            if (found := iso(text, theirs.get(f"ExifIFD:{parts}"), theirs.get(f"ExifIFD:{offset}"))) is not None:
                return found
    return iso(str(theirs.get("Composite:GPSDateTime", "")), None, None)


def iso(text, parts, offset):
    found = MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    milliseconds = (
        fraction[1:4].ljust(3, "0") if fraction else str(parts if parts is not None else "")[:3].ljust(3, "0")
    )
    moment = f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    if milliseconds.isdecimal() and int(milliseconds):
        moment += "." + milliseconds
    return moment + (zone or (offset if isinstance(offset, str) and re.fullmatch(r"[+-]\d\d:\d\d", offset) else ""))


def same(what, mine, other):
    if mine is None or other is None:
        return mine is other
    if what == "date":
        return local(mine) == local(other) and (not zone(other) or date_ns(mine) == date_ns(other))
    if what == "orientation":
        return mine == other
    return isinstance(other, int | float) and abs(mine - other) <= COORDINATE_TOLERANCE


def local(moment):
    return re.sub(r"(Z|[+-]\d\d:\d\d)$", "", moment)


def zone(moment):
    return moment[len(local(moment)) :]


def reason(what, mine, other, theirs):
    """Why, as far as it is known."""
    if what == "date" and other is not None:
        return "exiftool's is a filler or impossible" if date_ns(other) is None or other[:10] in FILLERS else "?"
    if what in ("latitude", "longitude") and other == "":
        return "EXIF's is undefined" + (", XMP has one" if mine is not None else "")
    if what in ("latitude", "longitude") and mine is None:
        both = theirs.get("Composite:GPSLatitude"), theirs.get("Composite:GPSLongitude")
        if both == (0, 0):
            return "0, 0 is what devices write without a fix"
        return "half a position" if None in both or "" in both else "?"
    if what == "orientation" and theirs["FileType"] in ("HEIC", "HEIF", "AVIF"):
        return "the container's own turn counts, EXIF's does not"
    if what == "orientation" and {mine, other} == {1, None}:
        return "1 says to leave it as it is"
    if what == "orientation" and mine is None:
        return "not one of the eight" if other not in range(1, 9) else "?"
    return "?"


FILLERS = ("1970-01-01", "1904-01-01")


def report(files, both, agreed, differences):
    print(f"{len(files):,} files, {len(both):,} that both read")
    for what in ("date", "latitude", "longitude", "orientation"):
        apart = [each for each in differences if each[0] == what]
        print(f"  {what}: {agreed[what]:,} equal, {len(apart):,} different")
        for why, count in Counter(each[4] for each in apart).most_common():
            print(f"    {count:,} x {why}")
            for _, file, mine, other, _ in [each for each in apart if each[4] == why]:
                print(f"      {file}: {mine} / exiftool {other}")
    if any(each[4] == "?" for each in differences):
        sys.exit(1)


if __name__ == "__main__":
    main()
