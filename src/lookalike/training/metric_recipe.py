"""The recipe `metric`: a metric learned from a catalogue's labels, so that a picture finds its kind (`metric`).

Learned from the labelled pictures of TRAIN; clusters of its unlabelled ones add to the statistics where there are many.
Method and settings are chosen on VALIDATION by `map@10` of picture -> picture; with `classes=new` on kinds held out of
TRAIN instead, for a catalogue whose kinds change. What costs the base's words is passed over, unless `keep_words=0`
says that words do not count: the metric that tells the labels apart best throws away what only words spoke of. How
kinds that were never seen and words fare stands in the report for all that was tried.

Without any labels the clusters of TRAIN stand for them, and the metric is judged by the texts; where there are none
either it cannot be judged.

Words are projected like pictures, but about the mean of TRAIN's texts: texts lie elsewhere in the base's space, and
about the pictures' mean they would all look alike. A catalogue without texts has the names of its kinds for that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lookalike.core.errors import SourceError
from lookalike.encoders.derived import Projection, write_derived
from lookalike.evaluation.report import Section, Table
from lookalike.training.measuring import PICTURES, WORDS, by_pictures, by_words, questions_of
from lookalike.training.metric import METHODS, NO_LABEL, Metric, learn, measure
from lookalike.training.metric_choice import (
    FOLDS,
    PRIORS,
    SHRINKAGES,
    candidates_of,
    class_folds,
    class_values,
    few_of_each,
    measure_clusters,
    try_on_new_classes,
)
from lookalike.training.proxy_losses import LOSSES, Loss, ProxySettings, train_projection
from lookalike.training.pseudo_labels import PICTURES_PER_CLUSTER
from lookalike.training.splits import TEST, TRAIN, VALIDATION
from lookalike.training.tuned import Comparison, Tuned, judged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.evaluation.measured import Measured
    from lookalike.training.material import Material
    from lookalike.training.metric import Method

METRIC = "map@10"
VIEWS = 1
"""Looks at each picture: statistics are of whole ones, as searches see them."""
ADAPTED = 0.3
"""Share of the statistics that clusters of unlabelled pictures are tried with: of 0.3, 0.6 and 1 the one chosen most
often (docs/benchmarks/metric.md)."""
LEAST_UNLABELLED = 20 * PICTURES_PER_CLUSTER
"""Fewer unlabelled pictures are left alone: so few clusters say little."""
_AUTO: tuple[Method, ...] = ("plain", "centred", "whitening", "wccn", "lda", "glrt", "glrt-joint")
"""Tried where nothing is said. kissme is glrt with large classes counting more, and never better."""
_PER_CLASS = 25  # pictures of a class that proxies are validated on after each epoch


@dataclass(frozen=True, slots=True)
class Settings:
    """`method`: of `metric.METHODS`, a loss of `proxy_losses.LOSSES`, or auto: the best of the former but kissme.

    `shrinkage`, `prior`: see `metric.Metric`; -1 to choose. `classes`: the kinds that will be searched, "seen" or "new"
    ones. `keep_words`: the share of the base's METRIC of words -> picture that has to stay. `epochs`, `lr`: of proxy
    losses.
    """

    method: str = "auto"
    shrinkage: float = -1.0
    prior: float = -1.0
    classes: str = "seen"
    keep_words: float = 0.9
    epochs: int = 30
    lr: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in ("auto", *METHODS, *LOSSES):
            raise ValueError(f"method={self.method}: there are auto, {', '.join((*METHODS, *LOSSES))}")
        if self.classes not in ("seen", "new"):
            raise ValueError(f"classes={self.classes}: kinds that will be searched are seen or new")


@dataclass(frozen=True, slots=True)
class _Tried:
    """A setting, and METRIC on VALIDATION of pictures and of words, and of kinds it had not seen; None: not known."""

    what: str
    image: Projection
    chosen: dict[str, Any]
    seen: float | None
    words: float | None
    new: float | None = None


def tune(materials: tuple[Material, ...], settings: Settings, told: Callable[[str], None]) -> Tuned:
    """See `tuned`. Raises SourceError for a material that has neither labels nor enough pictures for clusters."""
    material = materials[0]
    labels = _train_labels(material)
    if not _usable(labels):
        tried = [_of_clusters(material, settings)]
    elif settings.method in LOSSES:
        tried = [_by_proxies(material, labels, settings)]
    else:
        tried = _by_statistics(material, labels, settings)
    kept = _best(material, tried, settings, told)
    text = _for_words(material, kept.image)
    compared = _compared(material, TEST, kept.image, text)
    verdict, better = _verdict(material, _compared(material, VALIDATION, kept.image, text), compared)
    about = {"recipe": "metric", "settings": asdict(settings), "chosen": kept.chosen, "material": material.about()}

    def write(folder: Path, encoders: tuple[Encoder, ...]) -> None:
        words = text or _by_names(material, kept.image, encoders[0])
        examples = material.whole(material.pictures(TRAIN))
        write_derived(folder, base=encoders[0], image=kept.image, text=words, about=about, examples=examples)

    return Tuned("metric", write, compared, better, verdict, (_section(tried, kept),), about=about)


def _best(material: Material, tried: list[_Tried], settings: Settings, told: Callable[[str], None]) -> _Tried:
    """The setting that finds most pictures, of those that keep the words where any does."""

    def figure(each: _Tried) -> float:
        return (each.new if settings.classes == "new" else each.seen) or 0.0

    _, words = _found(material, Projection(np.eye(material.images.shape[2], dtype=np.float32)))
    needed = settings.keep_words * (words or 0.0)
    kept = max([each for each in tried if (each.words or 0.0) >= needed] or tried, key=figure)
    passed_over = max(tried, key=figure)
    told(f"{kept.what}, of {len(tried)} tried" if len(tried) > 1 else kept.what)
    if figure(passed_over) > figure(kept):
        told(
            f"{passed_over.what} finds more pictures ({METRIC} {figure(passed_over):.3f}, not {figure(kept):.3f}) and "
            f"costs words ({_shown(passed_over.words)}, not {_shown(kept.words)}); --set keep_words=0 takes it"
        )
    return kept


def _train_labels(material: Material) -> NDArray[np.int64]:
    """Labels of all pictures of TRAIN, int64 (n,); -1 without one, and outside TRAIN."""
    nothing = np.full(len(material.uris), NO_LABEL, np.int64)
    return nothing if material.labels is None else np.where(material.split == TRAIN, material.labels, nothing)


def _usable(labels: NDArray[np.int64], classes: int = 2) -> bool:
    """Whether there are so many classes of two pictures."""
    return bool((np.unique(labels[labels != NO_LABEL], return_counts=True)[1] > 1).sum() >= classes)


def _foldable(labels: NDArray[np.int64], seed: int) -> bool:
    """Whether a metric can be learned from what each fold of classes leaves."""
    if len(np.unique(labels[labels != NO_LABEL])) < 2 * FOLDS:
        return False
    return all(_usable(labels[~held]) for held in class_folds(labels, FOLDS, seed))


def _by_statistics(material: Material, labels: NDArray[np.int64], settings: Settings) -> list[_Tried]:
    """All settings asked for, with what each finds."""
    vectors, train = material.whole(), material.split == TRAIN
    known = measure(vectors[train], labels[train])
    unlabelled = train & (labels == NO_LABEL)
    searched = None
    if unlabelled.sum() >= LEAST_UNLABELLED:
        searched = measure_clusters(vectors[unlabelled], known, seed=settings.seed)
    metrics = _candidates(settings, adapting=searched is not None)
    new: dict[Metric, float] = {}
    if _foldable(labels[train], settings.seed):
        new = try_on_new_classes(vectors[train], labels[train], metrics, seed=settings.seed)
    elif settings.classes == "new":
        raise SourceError(
            f"kinds of two or more pictures to learn from are too few to hold some out: {2 * FOLDS} are the least",
            hint="leave --set classes=new away",
        )
    tried = []
    for metric in metrics:
        image = learn(known, metric, searched).projection
        tried.append(_Tried(_said(metric), image, asdict(metric), *_found(material, image), new.get(metric)))
    return tried


def _candidates(settings: Settings, *, adapting: bool) -> list[Metric]:
    methods = _AUTO if settings.method == "auto" else (cast("Method", settings.method),)
    found: dict[Metric, None] = {}
    for method in methods:
        for each in candidates_of(method):
            shrinkage = each.shrinkage if settings.shrinkage < 0 else settings.shrinkage
            prior = each.prior if settings.prior < 0 else settings.prior
            metric = replace(each, shrinkage=shrinkage, prior=prior)
            found[metric] = None
            if adapting and method in {"wccn", "glrt", "glrt-joint"}:
                found[replace(metric, adapted=ADAPTED)] = None
    return list(found)


def _by_proxies(material: Material, labels: NDArray[np.int64], settings: Settings) -> _Tried:
    """A projection trained with a proxy loss, from the base as it is."""
    vectors = material.whole()
    known = np.full(len(vectors), NO_LABEL) if material.labels is None else material.labels
    held = np.where(material.split == VALIDATION, known, NO_LABEL)
    if not _usable(held, 1):
        raise SourceError(
            "no two pictures of one kind are among those held out to validate on",
            hint="a proxy loss is stopped by them: give more labels, or take another method",
        )
    asked = few_of_each(held, _PER_CLASS, settings.seed)

    def judged(projection: Projection) -> float:
        return float(class_values(projection(vectors[asked]), known[asked]).mean())

    loss = cast("Loss", settings.method)
    chosen = ProxySettings(loss, settings.epochs, lr=settings.lr, seed=settings.seed)
    start = Projection(np.eye(vectors.shape[1], dtype=np.float32))
    image, figures = train_projection(vectors, labels, start, chosen, judged)
    return _Tried(f"{loss}, epoch {int(np.argmax(figures))}", image, asdict(chosen), *_found(material, image))


def _of_clusters(material: Material, settings: Settings) -> _Tried:
    """What clusters of TRAIN tell, where nobody has labelled anything."""
    vectors = material.whole(material.pictures(TRAIN))
    if len(vectors) < LEAST_UNLABELLED or settings.method in LOSSES:
        raise SourceError(
            "there are no labels to learn a metric from",
            hint=f"name their column with --label-column; without any, {LEAST_UNLABELLED} pictures to train on are "
            "needed, and a method that is no proxy loss",
        )
    method = cast("Method", "glrt" if settings.method == "auto" else settings.method)
    shrinkage = SHRINKAGES[1] if settings.shrinkage < 0 else settings.shrinkage
    metric = Metric(method, shrinkage, PRIORS[0] if settings.prior < 0 else settings.prior)
    image = learn(measure_clusters(vectors, seed=settings.seed), metric).projection
    chosen = {**asdict(metric), "labels": "clusters"}
    return _Tried(f"{_said(metric)}, from clusters", image, chosen, *_found(material, image))


def _for_words(material: Material, image: Projection) -> Projection | None:
    """The same for words, about the mean of TRAIN's texts; None where there are none."""
    rows = material.pairs(TRAIN)
    return _about(image, material.texts[rows]) if len(rows) else None


def _by_names(material: Material, image: Projection, base: Encoder) -> Projection | None:
    """The same for words of a catalogue without texts, about the mean of its kinds' names; None without words."""
    if "text" not in base.modalities or not material.label_names:
        return None
    return _about(image, base.encode_texts(material.label_names))


def _about(image: Projection, texts: Vectors) -> Projection:
    if image.bias is None:
        return image
    return Projection(image.matrix, -texts.mean(axis=0) @ image.matrix)


def _found(material: Material, image: Projection) -> tuple[float | None, float | None]:
    """METRIC on VALIDATION of pictures and of words; None where nothing can be asked."""
    values = {
        comparison.what: float(comparison.after.values[METRIC].mean())
        for comparison in _compared(material, VALIDATION, image, _for_words(material, image))
    }
    return values.get(PICTURES), values.get(WORDS)


def _compared(material: Material, part: int, image: Projection, text: Projection | None) -> tuple[Comparison, ...]:
    """Base and metric on a part, by each kind of question that there is."""
    before: dict[str, Measured] = {PICTURES: by_pictures(material, part, material.whole())}
    after = {PICTURES: by_pictures(material, part, image(material.whole()))}
    if text is not None and len(material.pairs(part)):
        questions = questions_of(material, part)
        before[WORDS] = by_words(questions, material.whole(), material.texts)
        after[WORDS] = by_words(questions, image(material.whole()), text(material.texts))
    return tuple(Comparison(what, before[what], after[what]) for what in before if before[what].queries)


def _verdict(material: Material, validated: tuple[Comparison, ...], tested: tuple[Comparison, ...]) -> tuple[str, bool]:
    """In a sentence, and whether the metric is better at the first kind of question."""
    if not validated:
        what = "there are no labels and no texts"
        if material.labels is not None:
            what = "no two of the pictures held out are of one kind, and there are no texts,"
        return f"{what} to judge it by; --force writes it all the same", False
    found = [judged(METRIC, each.what, each.differences().get(METRIC), tested) for each in validated]
    better = found[0][0]
    return ("" if better else "no better than the base: ") + "; ".join(said for _, said in found), better


def _section(tried: list[_Tried], kept: _Tried) -> Section:
    rows = tuple((each.what, _shown(each.seen), _shown(each.new), _shown(each.words)) for each in tried)
    note = (
        "Seen kinds: pictures of the validation part. New kinds: half the kinds of the training part, from the other "
        "half's; each kind counts once. Words: texts about pictures of the validation part."
    )
    header = ("metric", f"{METRIC}, seen kinds", "new kinds", "words")
    return Section("What was tried", (Table(header, rows, note=note, marked=frozenset({tried.index(kept)})),))


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _said(metric: Metric) -> str:
    if metric.method in {"plain", "centred"}:
        return metric.method
    prior = f", prior {metric.prior:g}" if metric.method in {"glrt", "glrt-joint"} else ""
    adapted = f", {metric.adapted:.0%} from clusters" if metric.adapted else ""
    return f"{metric.method}, shrinkage {metric.shrinkage:g}{prior}{adapted}"
