"""What the built-in encoder is trained on, and how: data, not code.

Photo sets are folders of public git repositories, named by repository and commit so that a run can be repeated; the
terms of each stand in `docs/model-card.md`. A `Recipe` holds every number a run depends on besides the data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lookalike.training.augment import Augmentation
from lookalike.training.towers import TowerSizes

Use = Literal["train", "hold out"]


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """Photos of one repository at one commit.

    `pattern`: which paths, as a regular expression. `leave_out`: regular expression of paths never used. `label`:
    which part of the path names the class (0 = first), None for captioned photos. `per_class`: at most so many of a
    class, drawn by the seed. `share`: of a training batch, relative to the other sets.
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
        share=0.16,
        teacher=True,
    ),
    PhotoSet("caltech", *_CALTECH, label=1, share=0.11, parity="odd", teacher=True),
    PhotoSet("imagenette", "thunderInfy/imagenette", "b850f030ff07", r"^(train|val)/", 1, 400, 0.03, teacher=True),
    PhotoSet("imagewoof", "q878787/imagewoof2-320", "874e58f0c1ac", r"^(train|val)/", 1, 250, 0.02),
    PhotoSet("pacs", "MachineLearning2020/Homework3-PACS", "d586a6cf3db8", r"^PACS/", 1, 200, 0.035),
    PhotoSet(
        "sea",
        "AbdulwahedA/Sea-Animals-Image-DatasetProject",
        "ed82a40e94d1",
        r"^Sea Animals Image Dataset/",
        1,
        200,
        0.03,
    ),
    PhotoSet("clothing", "alexeygrigorev/clothing-dataset", "7ed86a9cc567", r"^images/", 0, None, 0.035),
    PhotoSet("flowers", "martinwestin/flower_classification", "c169e7e4038b", r"^flowers/", 1, 300, 0.012),
    PhotoSet("scenes", "ndb796/Scene-Classification-Dataset-Split", "063473edcb62", r"^train/", 1, 400, 0.02),
    PhotoSet("weather", "ndb796/weather_dataset", "e76f86060cea", r"^(train|test)/", 1, 300, 0.01),
    PhotoSet("trash", "congduytran12/Trash-Classification-", "00212f2c18dc", r"^dataset-resized/", 1, 150, 0.008),
    PhotoSet("mini", "Deo0330/split_minidataset", "557ebcae0db2", r"", 1, 220, 0.09),
    PhotoSet("tiny", "seshuad/IMagenet", "153dbc161ab7", r"^tiny-imagenet-200/train/", 2, 150, 0.10),
    PhotoSet("flickr_test", "quantumnaan/sic_translator", "d27da85cff2d", r"^data/images/", use="hold out"),
    PhotoSet("caltech_test", *_CALTECH, label=1, parity="even", use="hold out"),
)
"""In the order of training's random draws: a new set goes to the end of its part, or runs are no longer repeatable."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Until which share of the run (0-1) pictures of `side` pixels are shown, in crops of at least `smallest_area`."""

    until: float
    side: int
    smallest_area: float = 0.5


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each part of the loss counts; `loop` says what they are."""

    contrast: float = 1.0
    picture: float = 2.0
    feature: float = 1.5
    sentence: float = 2.0
    spread: float = 0.7
    concept: float = 0.5


@dataclass(frozen=True, slots=True)
class SpaceRecipe:
    """How the teachers' shared space is trained: two small heads on frozen features."""

    dim: int = 256
    hidden: int = 1024
    batch: int = 1536
    learning_rate: float = 1e-3
    minutes: float = 1.25
    label_share: float = 0.3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run. The schedule follows the clock (elapsed / `minutes`), because a shared CPU has no fixed speed.

    `label_share`: how often a captioned picture is shown with its teacher's label instead of a caption. `alike`:
    cosine of two texts above which they are not taken for different. `bank`: captions drawn as alternatives.
    """

    name: str = "builtin-1"
    seed: int = 3
    packed_side: int = 112
    batch: int = 128
    minutes: float = 70.0
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    warmup_steps: int = 150
    final_rate: float = 0.004
    clip_norm: float = 3.0
    ema: float = 0.998
    ema_every: int = 4
    largest_scale: float = 60.0
    label_share: float = 0.2
    alike: float = 0.72
    bank: int = 1024
    smoothing: float = 0.05
    stages: tuple[Stage, ...] = (Stage(0.45, 64), Stage(0.62, 80), Stage(0.9, 96), Stage(1.0, 104, 0.6))
    sizes: TowerSizes = field(default_factory=TowerSizes)
    losses: LossWeights = field(default_factory=LossWeights)
    space: SpaceRecipe = field(default_factory=SpaceRecipe)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def stage(self, progress: float) -> Stage:
        """The stage at `progress` (0-1)."""
        return next((stage for stage in self.stages if progress < stage.until), self.stages[-1])


BUILTIN_1 = Recipe()
