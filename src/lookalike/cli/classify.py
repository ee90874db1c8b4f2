"""`lookalike classify`: what pictures show, by pictures that a person has labelled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.counting import counting
from lookalike.cli.numbers import any_number
from lookalike.cli.options import command, device_option, json_option, output_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors

_METHODS = ("auto", "neighbours", "words", "both")
_FOLDS = 5
_LISTED = 10


@command
@click.argument("folder", metavar="FOLDER")
@click.option("--labels", metavar="PATH", required=True, help="A folder of class folders, or a CSV file: image, label.")
@click.option("--images", metavar="DIR", help="Where the images a CSV file names lie.  [default: beside it]")
@click.option(
    "--by",
    type=click.Choice(_METHODS),
    metavar="METHOD",
    default="auto",
    show_default=True,
    help="neighbours: similar labelled pictures; words: the labels' names; both; auto: what is right most often.",
)
@click.option(
    "--min-chance",
    metavar="CHANCE",
    type=any_number(0, 1),
    default=0.5,
    show_default=True,
    help="Give no label that is less likely right.",
)
@click.option("--out", metavar="FILE", help="Write the labels to a CSV file: image, label, chance.")
@click.option("--confusions", metavar="FILE", help="Write a CSV file of what is taken for what: labels by answers.")
@click.option("--xmp", is_flag=True, help="Labels as keywords in XMP files beside the pictures; says what it would do.")
@click.option("--write", is_flag=True, help="With --xmp: do it.")
@click.option("--encoder", metavar="NAME", default="builtin", show_default=True, help="The encoder to look with.")
@device_option
@json_option
def classify(
    *,
    folder: str,
    labels: str,
    images: str | None,
    by: str,
    min_chance: float,
    out: str | None,
    confusions: str | None,
    xmp: bool,
    write: bool,
    encoder: str,
    device: str,
    as_json: bool,
) -> None:
    """Say what the pictures in FOLDER show, by some that a person has labelled.

    First it is measured how often that is right, on labelled pictures that were held out. Pictures are never written
    to; keywords go into XMP files beside them, and only with --write.
    """
    from lookalike.cli.opening import fetch_encoder
    from lookalike.evaluation.judgements import read_labels
    from lookalike.evaluation.labelling import label_folder, label_sidecars, write_answers, write_confusions

    if write and not xmp:
        raise click.UsageError("--write goes with --xmp")
    table = output_file("--out", out) if out else None
    matrix = output_file("--confusions", confusions) if confusions else None
    used = fetch_encoder(encoder, device)
    if by in {"words", "both"} and "text" not in used.modalities:
        raise click.UsageError(f"{used.name} only understands pictures: --by neighbours")
    methods: Any = _METHODS[1:] if by == "auto" else (by,)
    found = label_folder(
        used, folder, read_labels(labels, images), _folds, methods=methods, progress=counting("encoding pictures")
    )
    figures: dict[str, Any] = found.as_dict() | {"out": None, "sidecars": None}
    if table:
        write_answers(found.answers, min_chance, table)
        figures["out"] = str(table.absolute())
    if matrix:
        write_confusions(found, matrix)
    if xmp:
        figures["sidecars"] = label_sidecars(found.answers, min_chance, write=write).as_dict()
    if as_json:
        printing.out_json(figures)
    else:
        _show_measured(figures)
        _show_answers(figures, min_chance)
        _say_written(figures)


def _folds(vectors: Vectors, labels: NDArray[Any]) -> NDArray[Any]:
    """Copies of one picture are held out together, and every label in every fold where there are enough."""
    from lookalike.training.material import COPY_COSINE
    from lookalike.training.splits import duplicate_groups, split_by_group

    return split_by_group(duplicate_groups(vectors, COPY_COSINE), labels, (1 / _FOLDS,) * _FOLDS)


def _show_measured(figures: dict[str, Any]) -> None:
    """How often each method was right, how that grows with its chance, and what is taken for what."""
    labels = printing.count(len(figures["labels"]), "label")
    printing.out(f"encoder {figures['encoder']}, {printing.count(figures['labelled'], 'labelled picture')}, {labels}")
    printing.out()
    rows = [
        (
            f"{method} (used)" if method == figures["used"] else method,
            f"{100 * each['accuracy']:5.1f} %",
            f"between {100 * each['interval'][0]:.1f} and {100 * each['interval'][1]:.1f}",
        )
        for method, each in figures["methods"].items()
    ]
    printing.table(rows, header=("held out", "right", "95 %"))
    printing.out()
    rows = [
        (f"{100 * each['chance']:.0f} %", f"{100 * each['share']:5.1f} %", _per_cent(each["right"]))
        for each in figures["answered"]
    ]
    printing.table(rows, header=("chance at least", "pictures", "right"))
    printing.confusions(figures["confusions"], "label")


def _per_cent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:5.1f} %"


def _show_answers(figures: dict[str, Any], least: float) -> None:
    """How many pictures get which label."""
    printing.out()
    pictures = figures["pictures"]
    if not pictures:
        printing.out("every picture there has a label already")
        return
    sure = [each for each in pictures if each["chance"] >= least]
    left = len(pictures) - len(sure)
    without = f"; {left:,} stay without, their chance is below {100 * least:.0f} %" if left else ""
    printing.out(f"{len(sure):,} of {printing.count(len(pictures), 'picture')} get a label{without}")
    counts = Counter(each["label"] for each in sure).most_common()
    for label, number in counts[:_LISTED]:
        printing.out(f"  {printing.printable(label)}: {number:,}")
    if len(counts) > _LISTED:
        printing.out(f"  and {printing.count(len(counts) - _LISTED, 'more label')}")


def _say_written(figures: dict[str, Any]) -> None:
    if figures["out"]:
        printing.note(f"written to {printing.printable(figures['out'])}")
    if sidecars := figures["sidecars"]:
        done = "written" if sidecars["written"] else "would be written (--write does it)"
        printing.note(
            f"XMP files: {sidecars['new']:,} new ones and {sidecars['extended']:,} extended ones {done}; "
            f"{sidecars['unchanged']:,} have the keyword already"
        )
        printing.example_of(sidecars["failed"], "left as they are")
    printing.example_of(figures["skipped"], "skipped")
