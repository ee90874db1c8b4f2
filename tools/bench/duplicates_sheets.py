"""A sample of a collection's groups of duplicates as contact sheets, to be looked at and counted.

    python tools/bench/duplicates_sheets.py COLLECTION OUT [--count 200] [--per-sheet 10]

writes OUT/sheet-NN.png, a group in each line with its number, kind, how sure and why, OUT/groups.csv with all (number,
kind, sure, why, files) and OUT/sample.csv with the numbers of those on the sheets. Each kind has its share of the
sample, and at least `RARE` groups or all it has.
"""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import lookalike

RARE = 30
"""Groups of a kind that are always looked at: a share of 30 tells little more than whether most are right."""
_HEIGHT, _WIDTH, _MOST = 150, 1_400, 7


def line_of(number: int, kind: str, sure: float, why: str, files: list[str]) -> Image.Image:
    line = Image.new("RGB", (_WIDTH, _HEIGHT + 26), "white")
    text = f"{number}  {kind}  {sure:.2f}  {why}  ({len(files)})"
    ImageDraw.Draw(line).text((6, 4), text, font=ImageFont.load_default(14), fill="black")
    left = 6
    for file in files[:_MOST]:
        picture = Image.open(file).convert("RGB")
        picture.thumbnail((2 * _HEIGHT, _HEIGHT))
        line.paste(picture, (left, 24))
        left += picture.width + 8
    return line


def drawn(groups: list[tuple[str, list[str]]], count: int) -> list[int]:
    """Places of a sample of groups, each its kind and files; those of a kind together.

    By a digest of the files, so that what was looked at once comes up again after another look.
    """
    by_kind: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for place, (kind, files) in enumerate(groups):
        by_kind[kind].append((sha256("\n".join(sorted(files)).encode(errors="surrogateescape")).digest(), place))
    some: list[int] = []
    for there in sorted(by_kind.values(), key=len):
        share = round(count * len(there) / len(groups))
        some += [place for _, place in sorted(there)[: max(RARE, share)]]
    return some


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("collection", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--per-sheet", type=int, default=10)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with lookalike.open(asked.collection) as collection:
        found = [
            (str(group.kind), group.sure, group.why, [item.uri for item in group.items])
            for group in collection.duplicates.all_groups()
        ]
    with (asked.out / "groups.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("number", "kind", "sure", "why", "files"))
        table.writerows(
            (number, kind, sure, why, "|".join(files)) for number, (kind, sure, why, files) in enumerate(found)
        )
    some = drawn([(kind, files) for kind, _, _, files in found], asked.count)
    (asked.out / "sample.csv").write_text("".join(f"{number},{found[number][0]}\n" for number in some))
    for sheet, start in enumerate(range(0, len(some), asked.per_sheet)):
        lines = [line_of(number, *found[number]) for number in some[start : start + asked.per_sheet]]
        page = Image.new("RGB", (_WIDTH, sum(line.height for line in lines)), "white")
        top = 0
        for line in lines:
            page.paste(line, (0, top))
            top += line.height
        page.save(asked.out / f"sheet-{sheet:02d}.png")
    print(f"{len(found):,} groups, {len(some)} of them on sheets")


if __name__ == "__main__":
    main()
