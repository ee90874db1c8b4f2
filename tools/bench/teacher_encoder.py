"""The picture teacher (docs/training.md) as an encoder of pictures, and how near it is to the file it was made from.

    python tools/bench/teacher_encoder.py --snapshots DIR --out DIR/teacher [--pictures DIR]

`--snapshots` is the folder that training reads. With `--pictures` the vectors of up to `--count` pictures of a folder
are compared: the encoder's with the file's own, and those of the file's two sets of kernels with each other, which is
how far its rounding alone carries. Needs the extra `train`.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.encoders.load import load_encoder
from lookalike.images.decode import decode_picture
from lookalike.training.pack import squash
from lookalike.training.picture_teacher import FEATURE_STEP, FEATURE_TENSOR, MODEL, SIDE, PictureTeacher
from lookalike.training.snapshots import Snapshots
from lookalike.training.teacher_graph import open_file, write_teacher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.core.arrays import Pixels, Vectors


def other_kernels(model: bytes, pictures: Sequence[Pixels]) -> Vectors:
    """Vectors by the file's reference kernels; `PictureTeacher` runs it by the faster ones."""
    file = open_file(model)
    given = file.get_input_details()[0]["index"]
    feature = next(each["index"] for each in file.get_tensor_details() if each["name"] == FEATURE_TENSOR)
    rows = []
    for pixels in pictures:
        file.set_tensor(given, pixels[None])
        file.invoke()
        rows.append(file.get_tensor(feature).reshape(-1).astype(np.float32) * FEATURE_STEP)
    return unit_vectors(np.stack(rows))


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--snapshots", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--count", type=int, default=100)
    asked = parser.parse_args()
    model = Snapshots(asked.snapshots).content(*MODEL)
    if not (asked.out / "config.json").exists():
        write_teacher(asked.out, model)
    encoder = load_encoder(str(asked.out))
    found: dict[str, object] = {"encoder": encoder.id}
    if asked.pictures:
        files = sorted(asked.pictures.rglob("*.jpg"))
        files = files[:: max(1, len(files) // asked.count)][: asked.count]
        pixels = squash(SIDE).fitted([decode_picture(each.read_bytes(), side=SIDE).pixels for each in files])
        teacher = PictureTeacher(model)
        fast = unit_vectors(np.stack([teacher.look(each)[0] for each in pixels]).astype(np.float32) * FEATURE_STEP)
        ours, slow = encoder.encode_images(list(pixels)), other_kernels(model, pixels)
        for name, one, other in (("encoder, file", ours, fast), ("file's kernels", slow, fast)):
            cosines = np.einsum("ij,ij->i", one, other)
            found[name] = {"mean": round(float(cosines.mean()), 4), "least": round(float(cosines.min()), 4)}
        found["pictures"] = len(pixels)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
