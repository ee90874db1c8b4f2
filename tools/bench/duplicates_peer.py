"""The pairs that imagededup finds among the same files, at its defaults; runs in an environment of its own.

    python tools/bench/duplicates_peer.py FOLDER OUT.json [--network mobilenet_v3_small_embedding.onnx]

Writes {"phash": {"pairs": [[file, file], ...], "seconds": s}, "cnn": ...}. PHash: 64 bits, at most 10 apart. CNN: a
cosine of at least 0.9 between features of torchvision's MobileNetV3-small (IMAGENET1K_V1). Where these weights cannot
be had from their site, `--network` is their export to ONNX up to the pooled features, as in github.com/JSBundela/
Spot-the-Fake-Photo, models/ (sha256 9cb7a8fc...), run instead of torchvision's; what is done before and after is the
peer's own code.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path

import onnxruntime
import torch

_OPERATORS = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):  # torchvision's wheel expects them, a torch without CUDA lacks them
    _OPERATORS.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


class Exported(torch.nn.Module):
    """The network of an ONNX file that takes one picture at a time."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._session = onnxruntime.InferenceSession(file)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        features = [self._session.run(None, {"input": each[None].numpy()})[0] for each in pictures]
        return torch.cat([torch.from_numpy(each) for each in features])


def pairs_of(found: dict[str, list[str]]) -> list[list[str]]:
    return sorted([first, second] for first, others in found.items() for second in others if first < second)


def by_hash(folder: Path) -> dict[str, object]:
    from imagededup.methods import PHash

    began = time.monotonic()
    method = PHash(verbose=False)
    codes = method.encode_images(image_dir=folder, num_enc_workers=1)
    return {"pairs": pairs_of(method.find_duplicates(encoding_map=codes)), "seconds": time.monotonic() - began}


def by_network(folder: Path, network: Path) -> dict[str, object]:
    from imagededup.methods import CNN
    from imagededup.utils import CustomModel
    from imagededup.utils.models import MobilenetV3

    began = time.monotonic()
    model = CustomModel(MobilenetV3.name, Exported(network), MobilenetV3.transform)
    method = CNN(verbose=False, model_config=model)
    codes = method.encode_images(image_dir=folder)
    found = method.find_duplicates(encoding_map=codes, num_sim_workers=0)
    return {"pairs": pairs_of(found), "seconds": time.monotonic() - began}


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--network", type=Path)
    asked = parser.parse_args()
    found = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    if "phash" not in found:
        found["phash"] = by_hash(asked.folder)
        asked.out.write_text(json.dumps(found))
    if asked.network and "cnn" not in found:
        found["cnn"] = by_network(asked.folder, asked.network)
        asked.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
