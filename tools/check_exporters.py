"""Exported encoders beside the makers' own code, on random weights in the published layouts: `make check-exporters`.

    python tools/check_exporters.py [--large] [NAME ...]

Each model is made by its own library, written to disk as its makers publish it, exported as `lookalike export-encoder`
does, opened as the library opens it, and asked for photo-like pictures and Russian captions; the maker's code prepares,
tokenises and encodes the same. Prints a line of docs/encoders.md for each: the smallest cosines, and how many of 1,000
captions have the same token ids. Exits with 1 where one is below 0.9999 or an id differs.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
LEAST = 0.9999
CAPTIONS = 1000
ENCODED = 24  # of the captions: a text tower takes a second for some dozens
SIZES = ((480, 640), (333, 500), (300, 300), (700, 310))


@dataclass(frozen=True)
class Reference:
    """What the maker's code says: `image` and `text` vectors of `pictures()` and `captions()`; ids of all captions."""

    spec: str
    maker: str
    image: np.ndarray
    text: np.ndarray | None = None
    ids: np.ndarray | None = None
    weights: str = "published"


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("names", nargs="*", choices=[[], *MODELS, *LARGE], help="only these")
    asked.add_argument("--large", action="store_true", help="also models of a gigabyte and more")
    given = asked.parse_args()
    let_torchvision_be_imported()
    from lookalike.training.exporters.choosing import open_model
    from lookalike.training.exporters.exported_folder import write_exported

    fine = True
    for name in given.names or [*MODELS, *(LARGE if given.large else ())]:
        with tempfile.TemporaryDirectory() as work:
            torch.manual_seed(0)
            began = time.perf_counter()
            reference, towers = (MODELS | LARGE)[name](Path(work), open_model)
            write_exported(Path(work) / "encoder", towers)
            fine &= compare(name, reference, Path(work) / "encoder", time.perf_counter() - began)
    return 0 if fine else 1


def compare(name: str, reference: Reference, folder: Path, seconds: float) -> bool:
    from lookalike.encoders.onnx_encoder import OnnxEncoder
    from lookalike.encoders.tokenise import open_tokeniser, read_rules

    encoder = OnnxEncoder(folder, name=name, id=name)
    image = smallest(encoder.encode_images(pictures()), reference.image)
    text, ids, right = None, "", True
    if reference.text is not None:
        text = smallest(encoder.encode_texts(captions()[:ENCODED]), reference.text)
        rules = read_rules(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        found, _ = open_tokeniser(folder / "textual", rules)(captions())
        same = int((found == reference.ids).all(axis=1).sum())
        ids, right = f"{same:,} of {len(found):,}", same == len(found)
    words = f"{text:.7f}" if text is not None else ""
    print(f"| `{name}` | {reference.maker} | {image:.7f} | {words} | {ids} |", flush=True)
    print(f"  {seconds:.0f} s", file=sys.stderr)
    return right and image >= LEAST and (text is None or text >= LEAST)


# --- the models ------------------------------------------------------------------------------------


def of_timm(network: str, **options: int) -> Callable:
    def make(_: Path, open_model: Callable):
        import timm

        towers = open_model(f"timm:{network}", weights="random", side=options.get("img_size"))
        model = towers.pictures.module.eval()
        data = timm.data.resolve_model_data_config(model)
        data["input_size"] = (3, options["img_size"], options["img_size"]) if options else data["input_size"]
        transform = timm.data.create_transform(**data, is_training=False)
        return Reference(network, f"timm {timm.__version__}", encoded(model, prepared(transform))), towers

    return make


def of_torchvision(network: str) -> Callable:
    def make(_: Path, open_model: Callable):
        import torchvision

        towers = open_model(f"torchvision:{network}", weights="random")
        transform = torchvision.models.get_model_weights(network).DEFAULT.transforms()
        model = towers.pictures.module.eval()
        maker = f"torchvision {torchvision.__version__.partition('+')[0]}"
        return Reference(network, maker, encoded(model, prepared(transform))), towers

    return make


def of_open_clip(_: Path, open_model: Callable):
    import open_clip

    towers = open_model("open_clip:ViT-B-32", weights="random")
    model = towers.pictures.module.model.eval()
    transform = open_clip.transform.image_transform_v2(
        open_clip.transform.PreprocessCfg(**open_clip.get_model_preprocess_cfg(model)), is_train=False
    )
    ids = open_clip.get_tokenizer("ViT-B-32")(captions())
    image, text = encoded(model.encode_image, prepared(transform)), encoded(model.encode_text, ids[:ENCODED])
    return Reference("", f"open_clip {open_clip.__version__}", image, text, ids.numpy()), towers


def of_sentence_transformers(work: Path, open_model: Callable):
    """A CLIP as transformers write it, in the folders of sentence-transformers; CLIP-ViT-B/32 by default."""
    import open_clip
    import transformers
    from open_clip.tokenizer import default_bpe

    from lookalike.training.exporters.clip_vocabulary import from_merges_list

    model = transformers.CLIPModel(transformers.CLIPConfig()).eval()
    inner = work / "clip" / "0_CLIPModel"
    model.save_pretrained(inner)
    kind = {"idx": 0, "name": "0", "path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}
    (work / "clip" / "modules.json").write_text(json.dumps([kind]), encoding="utf-8")
    vocabulary = json.loads(from_merges_list(Path(default_bpe())))["model"]
    merges = ["#version: 0.2", *(" ".join(pair) for pair in vocabulary["merges"])]
    (inner / "vocab.json").write_text(json.dumps(vocabulary["vocab"]), encoding="utf-8")
    (inner / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")
    transform = open_clip.transform.image_transform_v2(open_clip.transform.PreprocessCfg(size=224), is_train=False)
    rules = {"size": 224, "crop_size": 224, "resample": 3, "image_mean": transform.transforms[-1].mean}
    rules |= {"image_std": transform.transforms[-1].std}
    (inner / "preprocessor_config.json").write_text(json.dumps(rules), encoding="utf-8")
    ids = open_clip.get_tokenizer("ViT-B-32")(captions())
    image = encoded(lambda values: model.get_image_features(pixel_values=values), prepared(transform))
    text = encoded(lambda values: model.get_text_features(input_ids=values), ids[:ENCODED])
    reference = Reference("", f"transformers {transformers.__version__}", image, text, ids.numpy())
    return reference, open_model(f"sentence-transformers:{work / 'clip'}")


def of_ruclip(*, patch: int, side: int, width: int, layers: int, text_width: int, dim: int) -> Callable:
    def make(work: Path, open_model: Callable):
        import youtokentome

        maker, folder = published_ruclip(), work / "ruclip"
        folder.mkdir()
        lines = "\n".join(line.lower() for line in all_captions()[CAPTIONS:])
        (work / "lines.txt").write_text(lines, encoding="utf-8")
        youtokentome.BPE.train(str(work / "lines.txt"), str(folder / "bpe.model"), vocab_size=5000, n_threads=1)
        config = {"embed_dim": dim, "image_resolution": side, "vision_layers": layers, "vision_width": width}
        config |= {"vision_patch_size": patch, "context_length": 77, "vocab_size": 5000, "transformer_layers": 12}
        config |= {"transformer_width": text_width, "transformer_heads": text_width // 64}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        model = maker.model.CLIP(**config).eval()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        processor = maker.processor.RuCLIPProcessor.from_pretrained(str(folder))
        ids = torch.stack([processor.encode_text(text) for text in captions()])
        image = encoded(model.encode_image, prepared(processor.image_transform))
        text = encoded(model.encode_text, ids[:ENCODED])
        return Reference("", "ruclip 0.0.2", image, text, ids.numpy()), open_model(f"ruclip:{folder}")

    return make


def published_ruclip() -> types.SimpleNamespace:
    """Two modules of the package ruclip; the package itself wants a huggingface-hub of 2021."""
    found = importlib.util.find_spec("ruclip")
    modules = {}
    for name in ("model", "processor"):
        spec = importlib.util.spec_from_file_location(f"ruclip_{name}", Path(found.origin).with_name(f"{name}.py"))
        modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(modules[name])
    return types.SimpleNamespace(**modules)


MODELS = {
    "timm:convnext_atto": of_timm("convnext_atto"),
    "timm:resnetv2_50": of_timm("resnetv2_50"),
    "timm:vit_small_patch14_dinov2": of_timm("vit_small_patch14_dinov2", img_size=224),
    "torchvision:resnet50": of_torchvision("resnet50"),
    "torchvision:convnext_tiny": of_torchvision("convnext_tiny"),
    "open_clip:ViT-B-32": of_open_clip,
    "sentence-transformers:clip-ViT-B-32": of_sentence_transformers,
    "ruclip:ruclip-vit-base-patch32-224": of_ruclip(patch=32, side=224, width=768, layers=12, text_width=512, dim=512),
}
LARGE = {
    "ruclip:ruclip-vit-base-patch32-384": of_ruclip(patch=32, side=384, width=768, layers=12, text_width=512, dim=512),
    "ruclip:ruclip-vit-large-patch14-336": of_ruclip(
        patch=14, side=336, width=1024, layers=24, text_width=768, dim=768
    ),
}


# --- what is compared ------------------------------------------------------------------------------


def pictures() -> list[np.ndarray]:
    """Smooth shades with grain, uint8 (height, width, 3), of several sizes."""
    made = []
    for number, (height, width) in enumerate(SIZES):
        y, x = np.mgrid[0:height, 0:width]
        waves = [np.sin(x / (17 + 9 * number)), np.cos(y / (23 + 5 * number)), np.sin((x + number * y) / 41)]
        grain = np.random.default_rng(number).normal(0, 20, (height, width, 3))
        made.append(np.clip(np.stack(waves, -1) * 100 + 128 + grain, 0, 255).astype(np.uint8))
    return made


def all_captions() -> list[str]:
    """Captions of photos in Russian: those that the built-in encoder is trained with."""
    lines = (ROOT / "src/lookalike/training/data/captions.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[1] for line in lines if line.count("\t") and line.split("\t")[1]]


def captions() -> list[str]:
    return all_captions()[:CAPTIONS]


def prepared(transform: Callable) -> torch.Tensor:
    from PIL import Image

    return torch.stack([transform(Image.fromarray(picture)) for picture in pictures()])


def encoded(tower: Callable, values: torch.Tensor) -> np.ndarray:
    """Unit vectors."""
    with torch.no_grad():
        said = tower(values)
    return torch.nn.functional.normalize(getattr(said, "pooler_output", said), dim=-1).numpy()


def smallest(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.sum(found.astype(np.float64) * wanted, axis=1).min())


def let_torchvision_be_imported() -> None:
    """PyPI's torchvision is built for CUDA. Beside a CPU torch its operators do not load, and its import, which only
    wants to describe two of them, fails; no network here uses them."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


if __name__ == "__main__":
    sys.exit(main())
