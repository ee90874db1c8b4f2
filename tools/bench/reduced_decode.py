"""Do embeddings of pictures decoded at reduced size equal those of the full decode? Goal: cosine >= 0.999.

    python tools/bench/reduced_decode.py DIR [DIR ...] [--encoder builtin] [--least 1000]

Takes every JPEG below the folders whose shorter side has at least `--least` pixels and that decodes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from lookalike.core.errors import CannotDecode
from lookalike.encoders.load import load_encoder
from lookalike.images.decode import decode_picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--least", type=int, default=1000)
    arguments = parser.parse_args()
    encoder = load_encoder(arguments.encoder)
    found: list[tuple[float, Path]] = []
    for path in sorted(path for folder in arguments.folders for path in folder.rglob("*")):
        if not path.is_file() or path.suffix.lower() not in (".jpg", ".jpeg"):
            continue
        try:
            small = decode_picture(path.read_bytes(), side=encoder.image_side)
            if small.format != "JPEG" or min(small.width, small.height) < arguments.least:
                continue
            full = decode_picture(path.read_bytes())
        except CannotDecode:
            continue
        one, other = encoder.encode_images([small.pixels, full.pixels])
        found.append((float(np.dot(one, other)), path))
    cosines = np.array([cosine for cosine, _ in found])
    print(f"{encoder.id}, {len(found)} JPEGs with a shorter side of {arguments.least} pixels or more")
    print(f"cosine: lowest {cosines.min():.5f}, 1 % {np.quantile(cosines, 0.01):.5f}, median {np.median(cosines):.5f}")
    print(f"below 0.999: {(cosines < 0.999).sum()}")
    for cosine, path in sorted(found)[:5]:
        print(f"  {cosine:.5f}  {path}")


if __name__ == "__main__":
    main()
