"""The photos the built-in encoder is trained on and tested with: data, not code.

Photo sets are folders of public git repositories, named by repository and commit so that a run can be repeated; the
terms of each stand in `docs/model-card.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Use = Literal["train", "hold out"]
_LARGE, _SMALL = 144, 112
"""Pixels photos are packed to: enough for crops of the last stage of training; photos that are smaller anyway."""


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """Photos of one repository at one commit.

    `pattern`: which paths, as a regular expression. `leave_out`: regular expression of paths never used. `label`:
    which part of the path names the class (0 = first), None for photos without a label. `per_class`: at most so many
    of a class, drawn by the seed. `share`: of a training batch, relative to the other sets. `side`: pixels packed to.
    `teacher`: whether the picture teacher is asked.
    """

    name: str
    repository: str
    commit: str
    pattern: str
    label: int | None = None
    per_class: int | None = None
    share: float = 0.0
    leave_out: str = "^$"
    parity: Literal["", "odd", "even"] = ""
    use: Use = "train"
    teacher: bool = False
    side: int = _LARGE


_CALTECH = ("MachineLearning2020/Homework2-Caltech101", "836044dd0002", r"^101_ObjectCategories/(?!BACKGROUND)")
_XTD10 = r"/(6(3[3-9]\d|[4-7]\d\d|800)|17(5\d\d|6[0-7]\d|680))\.jpg$"
"""COCO numbers 6,330-6,800 and 17,500-17,680: their captions are the multilingual test XTD10 (see the model card)."""

PHOTO_SETS: tuple[PhotoSet, ...] = (
    PhotoSet(
        "coco",
        "syf0122/COMP5329_Assignment02",
        "7c1fe6ff6a8b",
        r"^data/data/",
        share=0.36,
        leave_out=_XTD10,
        teacher=True,
    ),
    PhotoSet(
        "flickr",
        "RlNZLER/Image-Text-Matching",
        "56a15d913c3f290e2ee896386ece6076c1eea02e",
        r"^data/images/",
        share=0.17,
        teacher=True,
    ),
    PhotoSet("caltech", *_CALTECH, label=1, share=0.09, parity="odd", teacher=True),
    PhotoSet("imagenette", "thunderInfy/imagenette", "b850f030ff07", r"^(train|val)/", 1, 400, 0.03, teacher=True),
    PhotoSet("imagewoof", "q878787/imagewoof2-320", "874e58f0c1ac", r"^(train|val)/", 1, 250, 0.02, teacher=True),
    PhotoSet("pacs", "MachineLearning2020/Homework3-PACS", "d586a6cf3db8", r"^PACS/", 1, 200, 0.035),
    PhotoSet(
        "sea",
        "AbdulwahedA/Sea-Animals-Image-DatasetProject",
        "ed82a40e94d1",
        r"^Sea Animals Image Dataset/",
        1,
        200,
        0.03,
        teacher=True,
    ),
    PhotoSet("clothing", "alexeygrigorev/clothing-dataset", "7ed86a9cc567", r"^images/", 0, None, 0.03, teacher=True),
    PhotoSet(
        "flowers", "martinwestin/flower_classification", "c169e7e4038b", r"^flowers/", 1, 300, 0.012, teacher=True
    ),
    PhotoSet(
        "scenes", "ndb796/Scene-Classification-Dataset-Split", "063473edcb62", r"^train/", 1, 400, 0.02, side=_SMALL
    ),
    PhotoSet("weather", "ndb796/weather_dataset", "e76f86060cea", r"^(train|test)/", 1, 300, 0.008, teacher=True),
    PhotoSet(
        "trash",
        "congduytran12/Trash-Classification-",
        "00212f2c18dc",
        r"^dataset-resized/",
        1,
        150,
        0.008,
        teacher=True,
    ),
    PhotoSet("mini", "Deo0330/split_minidataset", "557ebcae0db2", r"", 1, 220, 0.08, side=_SMALL),
    PhotoSet("tiny", "seshuad/IMagenet", "153dbc161ab7", r"^tiny-imagenet-200/train/", 2, 150, 0.08, side=_SMALL),
    PhotoSet("art", "JohnMcCarroll/GAN_Gallery", "bc450dfd206e", r"", None, 6000, 0.02, teacher=True),
    PhotoSet(
        "posters",
        "liyunfan1223/multimodal-sentiment-analysis",
        "bc5636504102",
        r"^data/",
        share=0.02,
        teacher=True,
    ),
    PhotoSet("flickr_test", "quantumnaan/sic_translator", "d27da85cff2d", r"^data/images/", use="hold out"),
    PhotoSet("caltech_test", *_CALTECH, label=1, parity="even", use="hold out"),
)
"""In the order of training's random draws: a new set goes to the end of its part, or runs are no longer repeatable."""
