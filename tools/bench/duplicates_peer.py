"""The pairs that imagededup finds among the same files, at its defaults; runs in an environment of its own.

    python tools/bench/duplicates_peer.py FOLDER OUT.json [--features vectors.npz]

Writes {"phash": {"pairs": [[file, file], ...], "seconds": s}, "cnn": ...}. PHash as it is (64 bits, at most 10 apart).
CNN as it is (cosine at least 0.9) but for the network: its own weights have to be fetched, so features of another
ImageNet network are given, `names` and `vectors` (`tools/bench/duplicates_features.py`).
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import torch

_OPERATORS = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):  # torchvision's wheel expects them, a torch without CUDA lacks them
    _OPERATORS.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def pairs_of(found: dict[str, list[str]]) -> list[list[str]]:
    return sorted([first, second] for first, others in found.items() for second in others if first < second)


def by_hash(folder: Path) -> dict[str, object]:
    from imagededup.methods import PHash

    began = time.monotonic()
    method = PHash(verbose=False)
    codes = method.encode_images(image_dir=folder, num_enc_workers=1)
    return {"pairs": pairs_of(method.find_duplicates(encoding_map=codes)), "seconds": time.monotonic() - began}


def by_network(features: Path) -> dict[str, object]:
    from imagededup.methods import CNN
    from imagededup.utils import CustomModel

    began = time.monotonic()
    given = np.load(features)
    model = CustomModel(name="given", model=torch.nn.Identity(), transform=lambda image: image)
    method = CNN(verbose=False, model_config=model)
    codes = dict(zip(given["names"].tolist(), given["vectors"], strict=True))
    found = method.find_duplicates(encoding_map=codes, num_enc_workers=0, num_sim_workers=0)
    return {"pairs": pairs_of(found), "seconds": time.monotonic() - began}


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--features", type=Path)
    asked = parser.parse_args()
    found = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    if "phash" not in found:
        found["phash"] = by_hash(asked.folder)
        asked.out.write_text(json.dumps(found))
    if asked.features and "cnn" not in found:
        found["cnn"] = by_network(asked.features)
        asked.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
