"""Vectors of every picture of a folder by an encoder, as `duplicates_peer.py` takes them.

    python tools/bench/duplicates_features.py FOLDER ENCODER OUT.npz

The picture teacher of docs/training.md, made an encoder by `teacher_encoder.py`, is an ImageNet MobileNet.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from lookalike.encoders.load import load_encoder
from lookalike.images.decode import decode_picture

_BATCH = 64


def main() -> None:
    folder, name, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    encoder = load_encoder(name)
    files = sorted(file for file in folder.iterdir() if file.is_file())
    vectors = []
    for start in range(0, len(files), _BATCH):
        some = files[start : start + _BATCH]
        pictures = [decode_picture(file.read_bytes(), side=encoder.image_side).pixels for file in some]
        vectors.append(encoder.encode_images(pictures))
    np.savez(out, names=np.array([file.name for file in files]), vectors=np.concatenate(vectors))


if __name__ == "__main__":
    main()
