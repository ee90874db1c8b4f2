"""Add keywords to every XMP packet found in folders of odd files: is all that was said before still said?

    python tools/check_sidecars.py FOLDER ...

Packets are sidecar files, and what stands between <x:xmpmeta> and its end in any file. Nothing is written. Ends with 1
where a keyword is missing or something else has changed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lookalike.core.errors import LookalikeError
from lookalike.images.xmp import read_xmp
from lookalike.images.xmp_writing import with_tags

PACKET = re.compile(rb"<x:x[am]pmeta\b.*?</x:x[am]pmeta>", re.DOTALL)
LARGEST_BYTES = 30_000_000
ADDED = ["black & white", "сова"]


def main() -> int:
    packets = {packet for place in sys.argv[1:] for path in Path(place).rglob("*") for packet in _packets(path)}
    extended = refused = wrong = 0
    for packet in packets:
        before = read_xmp(packet)
        try:
            after = read_xmp(with_tags(packet, ADDED))
        except LookalikeError:
            refused += 1
            wrong += bool(before)  # what can be read should be extended
            continue
        extended += 1
        wrong += after != {**before, "tags": [*before.get("tags", []), *ADDED]}
    print(f"{len(packets):,} packets: {extended:,} extended, {refused:,} that cannot be read refused, {wrong:,} wrong")
    return 1 if wrong else 0


def _packets(path: Path) -> list[bytes]:
    if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
        return []
    content = path.read_bytes()
    return [*PACKET.findall(content), *([content] if path.suffix.lower() == ".xmp" else [])]


if __name__ == "__main__":
    sys.exit(main())
