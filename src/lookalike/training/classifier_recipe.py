"""The recipe `classifier`: a network of timm's learns the labels of a catalogue, and its feature becomes an encoder.

The encoder knows pictures only and is one of its own: it keeps nothing of the base, which is what it is compared with.
`classifier` trains, `labelled_pixels` packs the pictures, `exporters` writes the feature as ONNX and compares.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import MissingExtra, SourceError
from lookalike.evaluation.chart import Axis, Line
from lookalike.evaluation.report import Plot, Section, Table
from lookalike.training import measuring
from lookalike.training.classifier import ClassifierRun, ClassifierSettings, outputs
from lookalike.training.exporters.exported_folder import export_image_model
from lookalike.training.exporters.image_models import PUBLISHED, RANDOM, fetched, unknown
from lookalike.training.labelled_pixels import pixels_of, stamps
from lookalike.training.measuring import PICTURES
from lookalike.training.splits import TEST, TRAIN, VALIDATION
from lookalike.training.tuned import Comparison, Tuned, judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.training.labelled_pixels import LabelledPixels
    from lookalike.training.material import Material

VIEWS = 1
"""Looks at each picture by the base, which is only compared with."""
CHOSEN_BY = "map@10"
_PACKED = 7 / 6  # packed pixels over those of a crop: crops of half a picture are not blown up


@dataclass(frozen=True, slots=True)
class Settings(ClassifierSettings):
    """What can be set; see `ClassifierSettings` for the others.

    `architecture`: a name of timm's. `weights`: "random", "published" (timm downloads them) or the path of a file.
    `options`: arguments of the architecture as a JSON object. `work`: where pixels and checkpoints are kept, "" for
    where vectors are.
    """

    architecture: str = "convnext_atto"
    weights: str = RANDOM
    options: str = "{}"
    work: str = ""

    def __post_init__(self) -> None:
        try:
            dict(json.loads(self.options))
        except (TypeError, ValueError) as error:
            raise ValueError(f"options={self.options}: not a JSON object") from error


def tune(materials: tuple[Material, ...], settings: Settings, told: Callable[[str], None]) -> Tuned:
    """See `tuned`. Raises SourceError where labels are missing, MissingExtra without timm, ValueError for settings."""
    photos = pixels_of(materials[0], round(settings.side * _PACKED), Path(settings.work))
    if len(np.unique(photos.labels[photos.rows(TRAIN)])) < 2:
        raise SourceError("a classifier needs pictures of at least two classes", hint="give more labels")
    return learn(materials[0], photos, open_network(settings, photos.classes), settings, told)


def learn(
    material: Material, photos: LabelledPixels, network: nn.Module, settings: Settings, told: Callable[[str], None]
) -> Tuned:
    """Train `network` on `photos`, the pixels of `material`, and compare its feature with the base's vectors.

    `network`: pictures to a score for each class; its `reset_classifier(0)` makes it give the feature, as timm's do.
    """
    run = ClassifierRun(network, photos, settings, _run_folder(material, photos, settings))
    told(f"{settings.architecture}: {len(photos.rows(TRAIN)):,} photos of {photos.classes} classes, {run.steps} steps")
    trained = run.train(
        lambda line: told(f"epoch {line['epoch']:.0f}: loss {line['loss']:.3f}, right {line['right']:.1%}")
    )
    feature = feature_of(trained)
    images = _vectors(feature, photos, settings.side)
    right = _right(trained, photos, settings.side)
    about = {
        "recipe": "classifier",
        "settings": asdict(settings),
        "classes": list(material.label_names),
        "right on test": right,
        "material": material.about(),
    }

    def write(folder: Path, _: tuple[Encoder, ...]) -> None:
        export_image_model(feature, folder, side=settings.side, resize_mode="squash", about=about)

    validated, tested = (_compared(material, part, images) for part in (VALIDATION, TEST))
    better, said = judged(CHOSEN_BY, PICTURES, validated.differences().get(CHOSEN_BY), (tested,))
    return Tuned(
        "classifier",
        write,
        (tested,) if tested.before.queries else (),
        better=better,
        verdict=f"{right:.1%} of the test photos are told right; {said}, against {material.base_id}",
        sections=(_curves(run, right),),
        curve=tuple(run.curve),
        about=about,
    )


def open_network(settings: Settings, classes: int) -> nn.Module:
    """A network of timm's with an output for each of `classes`.

    Raises MissingExtra without timm, UnknownEncoder, EncoderUnavailable or EncoderBroken for weights, ValueError for
    options that the network does not take.
    """
    try:
        import timm
    except ImportError as error:
        raise MissingExtra("training a classifier", "export") from error
    if not timm.is_model(settings.architecture):
        raise unknown("timm", settings.architecture, timm.list_models())
    torch.manual_seed(settings.seed)
    options: dict[str, Any] = json.loads(settings.options) | {"num_classes": classes}

    def create() -> nn.Module:
        return cast("nn.Module", timm.create_model(settings.architecture, settings.weights != RANDOM, **options))

    if settings.weights == RANDOM:
        try:
            return create()
        except TypeError as error:
            raise ValueError(f"options={settings.options}: {error}") from error
    if settings.weights != PUBLISHED:
        options["pretrained_cfg_overlay"] = {"file": os.path.expanduser(settings.weights)}
    network: nn.Module = fetched(settings.architecture, settings.weights, create)
    return network


def _compared(material: Material, part: int, images: Vectors) -> Comparison:
    """The base's vectors and the feature `images` on a part."""
    before = measuring.by_pictures(material, part, material.whole())
    return Comparison(PICTURES, before, measuring.by_pictures(material, part, images))


def _run_folder(material: Material, photos: LabelledPixels, settings: Settings) -> Path:
    """Where the checkpoint is: other pictures or labels, or other settings than `epochs`, have another."""
    told = {name: value for name, value in asdict(settings).items() if name not in ("epochs", "work")}
    labels = [material.label_names, photos.labels.tolist(), photos.split.tolist()]
    made_of = json.dumps([told, labels, stamps(material.uris)]).encode()
    return Path(settings.work) / f"run-{hashlib.blake2b(made_of, digest_size=6).hexdigest()}"


def feature_of(network: Any) -> nn.Module:
    """A copy of one of timm's networks that gives what it pools, without the classes."""
    feature: Any = copy.deepcopy(network)
    feature.reset_classifier(0)
    opened: nn.Module = feature.eval()
    return opened


def _vectors(feature: nn.Module, photos: LabelledPixels, side: int) -> Vectors:
    return unit_vectors(outputs(feature, photos.pixels, np.arange(len(photos.pixels)), side))


def _right(network: nn.Module, photos: LabelledPixels, side: int) -> float:
    """Share of the test photos whose class is told right."""
    rows = photos.rows(TEST)
    if not len(rows):
        return 0.0
    return float((outputs(network, photos.pixels, rows, side).argmax(1) == photos.labels[rows]).mean())


def _curves(run: ClassifierRun, right: float) -> Section:
    """Loss and validation accuracy against epochs."""
    x = Axis("epoch")
    loss = Line("training", tuple((each["epoch"], each["loss"]) for each in run.curve))
    told = tuple((each["epoch"], each["right"]) for each in run.curve)
    best = max(range(len(told)), key=lambda at: (told[at][1], at)) if told else None
    rows = (("validation, the best epoch", f"{run.best:.1%}"), ("test", f"{right:.1%}"))
    return Section(
        "How it learned",
        (
            Plot("Loss of the classifier", (loss,), x, Axis("loss")),
            Plot("Validation photos told right", (Line("validation", told, best),), x, Axis("share")),
            Table(("photos", "told right"), rows),
        ),
    )
