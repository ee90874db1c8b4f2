"""Fewer dimensions for the same answers: the principal components of a collection's own vectors.

A rotation puts the directions in which the pictures differ most first, and the rest is cut off; it folds into one
linear projection, so that rows of the base become the smaller ones without reading a picture. The components are those
of the pictures of TRAIN (an eigen-decomposition of d x d numbers: seconds, whatever their count). Two kinds are tried:
plain (of the second moments: keeps cosines as they are, as well as any projection to that width can) and centred (the
mean is taken off first: spreads vectors that all point one way). For words the same rotation is used, and of the
centred kind the mean of the texts is taken off theirs.

The kind is chosen on VALIDATION: the one that loses less of `map@10`, by labels where pictures have them and by texts
where there are such, whichever loses more. Where there is neither, what counts is how many of the ten nearest of all
pictures are those of the full width. The width is half the base's unless said: the narrowest that seems to do on some
hundred questions is too narrow for others, so the report draws the curve instead. The first components of the result
serve alone too (`NAME@WIDTH`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from lookalike.core.errors import SourceError
from lookalike.encoders.derived import Projection, write_derived
from lookalike.evaluation.chart import Axis, Line
from lookalike.evaluation.metrics import top_rows
from lookalike.evaluation.report import Plot, Section, Table
from lookalike.training import measuring
from lookalike.training.measuring import PICTURES, WORDS, questions_of
from lookalike.training.splits import TEST, TRAIN, VALIDATION
from lookalike.training.tuned import Comparison, Tuned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.evaluation.measured import Measured
    from lookalike.training.material import Material

METRIC = "map@10"
VIEWS = 1
"""Looks at each picture: components are those of whole ones."""
KEPT = "neighbours kept"
"""What is asked without labels and texts: of the ten nearest of all pictures at full width, how many still are."""
_CALLED = {PICTURES: "Pictures found", WORDS: "Pictures found by words", KEPT: "Neighbours kept"}
_NEAREST = 10
_KEPT_QUESTIONS = 2000
_NARROWEST = 16  # dimensions
_TINY = 1e-12
_ALIKE = 1e-5  # of components: below what float16 tells apart
_EXAMPLES = 512  # vectors that the tolerance of the encoder is measured on

Kind = Literal["plain", "centred"]


@dataclass(frozen=True, slots=True)
class Settings:
    """`dims`: the width, 0 for half the base's. `kind`: plain or centred, or auto to choose.

    `loss`: of METRIC, relative, that may be lost; what surely loses more is not written unless forced.
    """

    dims: int = 0
    kind: str = "auto"
    loss: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("auto", *get_args(Kind)):
            raise ValueError(f"kind={self.kind}: components are plain or centred, or auto")
        if self.dims < 0:
            raise ValueError(f"dims={self.dims}: a width is a positive number, or 0 for half the base's")


@dataclass(frozen=True, slots=True)
class Components:
    """All components of a kind, strongest first.

    `rotation`: float32 (dim, dim). `centre`, `text_centre`: float32 (dim,), what is taken off first, None for nothing.
    `shares`: float64 (dim,), how much of the pictures' variance (plain: of their squares) each holds.
    """

    rotation: NDArray[np.float32]
    centre: NDArray[np.float32] | None
    text_centre: NDArray[np.float32] | None
    shares: NDArray[np.float64]

    def images(self, dims: int) -> Projection:
        """Pictures to the first `dims` components."""
        return _projection(self.rotation[:, :dims], self.centre)

    def texts(self, dims: int) -> Projection:
        """Words to the first `dims` components."""
        return _projection(self.rotation[:, :dims], self.text_centre)


def principal_components(pictures: Vectors, kind: Kind, texts: Vectors | None = None) -> Components:
    """The components of `pictures` (n, dim); `texts` (m, dim) only tell the centre of the words.

    Raises ValueError where there are no pictures.
    """
    if not len(pictures):
        raise ValueError("components of no pictures")
    rows = pictures.astype(np.float64)
    centre = rows.mean(0) if kind == "centred" else np.zeros(rows.shape[1])
    moments = rows.T @ rows / len(rows) - np.outer(centre, centre)
    values, vectors = np.linalg.eigh(moments)
    strongest = np.argsort(-values, kind="stable")
    rotation = vectors[:, strongest]
    rotation *= np.where(rotation[np.abs(rotation).argmax(0), np.arange(len(values))] < 0, -1, 1)  # one of two signs
    shares = np.maximum(values[strongest], 0)
    text_centre = texts.mean(0, dtype=np.float64) if texts is not None and len(texts) else centre
    plain = kind == "plain"
    return Components(
        rotation.astype(np.float32),
        None if plain else centre.astype(np.float32),
        None if plain else text_centre.astype(np.float32),
        shares / max(shares.sum(), np.finfo(np.float64).tiny),
    )


def tune(materials: tuple[Material, ...], settings: Settings, told: Callable[[str], None]) -> Tuned:
    """The recipe: see the head of the module. Compared with the full width.

    Raises SourceError for more dimensions than the base has, or than there are pictures to learn from.
    """
    material = materials[0]
    dim = material.images.shape[2]
    train = material.pictures(TRAIN)
    if settings.dims > min(dim, len(train)):
        raise SourceError(
            f"{settings.dims} dimensions are asked for: {material.base_id} has {dim}, and {len(train)} pictures are "
            "learned from",
            hint="ask for fewer, or leave --set dims away",
        )
    spoken = material.texts[material.pairs(TRAIN)]
    found = _found(material, settings, spoken)
    dims = settings.dims or max(1, min(dim // 2, len(train)))
    lost = {kind: _lost(material, each, dims, settings.seed, VALIDATION) for kind, each in found.items()}
    kind = min(lost, key=lambda each: getattr(lost[each], "share", 0.0))
    losses = {"validation": lost[kind], "test": _lost(material, found[kind], dims, settings.seed, TEST)}
    loses = ", ".join(f"{_said(each)} on {part}" for part, each in losses.items())
    told(f"{dims} of {dim} dimensions, {kind}: {loses}")
    components = found[kind]
    about = {
        "recipe": "pca",
        "dims": dims,
        "kind": kind,
        **{f"lost on {part}": asdict(each) if each else None for part, each in losses.items()},
        "settings": asdict(settings),
        "material": material.about(),
    }

    def write(folder: Path, encoders: tuple[Encoder, ...]) -> None:
        words = components.texts(dims) if "text" in encoders[0].modalities else None
        examples = material.whole(train[:_EXAMPLES])
        write_derived(
            folder,
            base=encoders[0],
            image=components.images(dims),
            text=words,
            about=about,
            widths=_widths(dims),
            examples=examples,
        )

    return Tuned(
        "pca",
        write,
        _compared(material, components, dims, settings.seed),
        better=all(each is not None and each.low <= settings.loss for each in losses.values()),
        verdict=f"{dims} of {dim} dimensions: {loses}, where {settings.loss:.1%} may be lost",
        sections=(_section(material, found, sorted({*_widths(dim), dims, dim}), dims),),
        about=about,
    )


def _found(material: Material, settings: Settings, spoken: Vectors) -> dict[Kind, Components]:
    """The components of each kind asked for, of which something is left.

    Raises SourceError where nothing is left: pictures that are all alike differ in nothing from their mean.
    """
    pictures = material.whole(material.pictures(TRAIN))
    alike = float(np.ptp(pictures, axis=0).max()) < _ALIKE
    kinds = [kind for kind in get_args(Kind) if settings.kind in ("auto", kind) and not (alike and kind == "centred")]
    if not kinds:
        raise SourceError(
            f"all {len(pictures)} pictures to learn from look alike to {material.base_id}: no mean can be taken off",
            hint="take --set kind=plain, or more pictures",
        )
    return {kind: principal_components(pictures, kind, spoken) for kind in kinds}


@dataclass(frozen=True, slots=True)
class Lost:
    """What a width loses of `metric`, as a share of it, with its 95 % interval; of the `question` that loses most."""

    question: str
    metric: str
    share: float
    low: float
    high: float

    def said(self) -> str:
        """In words."""
        if self.share <= 0:
            return f"nothing of {self.metric} {self.question} is lost"
        between = f" (95 % between {self.low:.1%} and {self.high:.1%})" if self.low < self.high else ""
        return f"{self.share:.1%} of {self.metric} {self.question} is lost{between}"


def _said(lost: Lost | None) -> str:
    return "what is lost cannot be told of so few pictures" if lost is None else lost.said()


def _lost(material: Material, components: Components, dims: int, seed: int, part: int) -> Lost | None:
    """On a part of the split; None where it has no pictures to ask, or there are too few to answer."""
    images = components.images(dims)(material.whole())
    before = figures(material, part, material.whole(), material.texts)
    if not before:
        kept = neighbours_kept(material.whole(), images, material.pictures(part))
        return None if kept is None else Lost(PICTURES, KEPT, 1 - kept, 1 - kept, 1 - kept)
    texts = components.texts(dims)(material.texts) if len(material.texts) else None
    after = figures(material, part, images, texts)
    found = []
    for question, measured in before.items():
        change, mean = after[question].against(measured, seed)[METRIC], max(_mean(measured), _TINY)
        found.append(Lost(question, METRIC, -change.mean / mean, -change.high / mean, -change.low / mean))
    return max(found, key=lambda each: each.share)


def _widths(dim: int) -> list[int]:
    """Halves of `dim`, and three quarters of each, down to `_NARROWEST`, rising: 16, 24, 32 ... 128, 192 of 256."""
    halves = [dim >> times for times in range(dim.bit_length())]
    return sorted({width for half in halves for width in (half, half * 3 // 4) if _NARROWEST <= width < dim})


def figures(material: Material, part: int, images: Vectors, texts: Vectors | None) -> dict[str, Measured]:
    """What vectors of all the material's pictures and texts are worth on a part, by each kind of question there is."""
    found = {PICTURES: measuring.by_pictures(material, part, images)}
    if texts is not None and len(texts):
        found[WORDS] = measuring.by_words(questions_of(material, part), images, texts)
    return {kind: measured for kind, measured in found.items() if measured.queries}


def neighbours_kept(
    pictures: Vectors, projected: Vectors, asked: NDArray[np.int64] | None = None, seed: int = 0
) -> float | None:
    """Share of the ten nearest pictures by `pictures` (n, dim) that also are by `projected` (n, width).

    `asked`: rows of those whose neighbours are compared, all unless said. None where none is asked, or where there are
    no more than ten others: these stay the nearest whatever is lost.
    """
    rows = np.arange(len(pictures)) if asked is None else asked
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_KEPT_QUESTIONS])
    if not len(rows) or len(pictures) - 1 <= _NEAREST:
        return None
    nearest = []
    for vectors in (pictures, projected):
        scores = vectors[rows] @ vectors.T
        scores[np.arange(len(rows)), rows] = -np.inf
        nearest.append(top_rows(scores, _NEAREST))
    one, other = nearest
    return float((one[:, :, None] == other[:, None, :]).any(2).mean())


def _compared(material: Material, components: Components, dims: int, seed: int) -> tuple[Comparison, ...]:
    """Full width and chosen width on TEST."""
    texts = components.texts(dims)(material.texts) if len(material.texts) else None
    before = figures(material, TEST, material.whole(), material.texts)
    after = figures(material, TEST, components.images(dims)(material.whole()), texts)
    return tuple(Comparison(kind, before[kind], after[kind], seed) for kind in before)


def _section(material: Material, found: Mapping[Kind, Components], widths: Sequence[int], dims: int) -> Section:
    """Quality against size on TEST: each kind of components, and the base's first components as they are."""
    dim = material.images.shape[2]
    eye = np.eye(dim, dtype=np.float32)
    ways: dict[str, Components] = {f"components, {kind}": each for kind, each in found.items()}
    ways["the first of the base's"] = Components(eye, None, None, np.full(dim, 1 / dim))
    points: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for way, components in ways.items():
        for width in widths:
            for question, value in _values(material, components, width).items():
                points.setdefault(question, {}).setdefault(way, []).append((float(width), value))
    parts: list[Plot | Table] = []
    for question, lines in points.items():
        name = KEPT if question == KEPT else METRIC
        drawn = tuple(Line(way, tuple(each), widths.index(dims)) for way, each in lines.items())
        title = f"{_CALLED[question]} against width"
        parts.append(Plot(title, drawn, Axis("dimensions", "log"), Axis(name)))
        rows = tuple(
            (str(width), str(2 * width), *(f"{lines[way][at][1]:.3f}" for way in lines))
            for at, width in enumerate(widths)
        )
        marked = frozenset({widths.index(dims)})
        parts.append(Table(("dimensions", "bytes a picture", *lines), rows, question, marked=marked))
    return Section("Quality against size", tuple(parts))


def _values(material: Material, components: Components, width: int) -> dict[str, float]:
    """METRIC on TEST by kind of question at `width`; KEPT where there is no question."""
    images = components.images(width)(material.whole())
    texts = components.texts(width)(material.texts) if len(material.texts) else None
    measured = figures(material, TEST, images, texts)
    if measured:
        return {kind: _mean(each) for kind, each in measured.items()}
    kept = neighbours_kept(material.whole(), images, material.pictures(TEST))
    return {} if kept is None else {KEPT: kept}


def _mean(measured: Measured) -> float:
    return float(measured.values[METRIC].mean())


def _projection(rotation: NDArray[np.float32], centre: NDArray[np.float32] | None) -> Projection:
    return Projection(rotation, None if centre is None else -centre @ rotation)
