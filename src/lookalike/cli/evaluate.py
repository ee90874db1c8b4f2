"""`lookalike evaluate`: one ruler for how well an encoder finds labelled or captioned pictures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.options import command, device_option, json_option
from lookalike.cli.settings import colour_wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.evaluation.evaluate import Evaluation

KINDS = {
    ("text_to_image", "labels"): "class name -> picture",
    ("text_to_image", "captions"): "caption -> picture",
    ("image_to_image", "labels"): "picture -> picture",
}


@command
@click.option("--labels", metavar="PATH", help="A folder of class folders, or a CSV file: image, label.")
@click.option("--captions", metavar="CSV", help="A CSV file: image, caption.")
@click.option("--images", metavar="DIR", help="Where the images a CSV file names lie.  [default: beside it]")
@click.option("--encoder", metavar="NAME", default="builtin", show_default=True, help="The encoder to measure.")
@device_option
@json_option
def evaluate(
    *,
    labels: str | None,
    captions: str | None,
    images: str | None,
    encoder: str,
    device: str,
    as_json: bool,
) -> None:
    """Measure how well an encoder finds labelled or captioned pictures.

    Class names and captions are asked as words, pictures as pictures; each figure comes with the interval in
    which it lies with 95 % confidence. Nothing is written, and no collection is needed.
    """
    from lookalike.cli.opening import fetch_encoder
    from lookalike.evaluation.evaluate import evaluate as measure
    from lookalike.evaluation.judgements import read_captions, read_labels

    if (labels is None) == (captions is None):
        raise click.UsageError("give either --labels or --captions")
    judgements = read_captions(captions, images) if captions else read_labels(labels or "", images)
    wanted = fetch_encoder(encoder, device)
    outcome = measure(wanted, judgements, progress=_teller())
    if as_json:
        printing.out_json(outcome.as_dict())
    else:
        _show(outcome.as_dict(), judgements.kind)
        _say_skipped(outcome)


def _show(figures: dict[str, Any], judged_by: str) -> None:
    """A table of figures with their intervals, in per cent."""
    printing.out(f"encoder {figures['encoder']}, {printing.count(figures['pictures'], 'picture')}")
    for kind in ("text_to_image", "image_to_image"):
        values, intervals = figures[kind], figures["intervals"][kind]
        if values is None:
            continue
        queries = printing.count(figures["counts"][kind]["queries"], "query", "queries")
        printing.out()
        printing.out(f"{KINDS[kind, judged_by]} ({queries})")
        for name, value in values.items():
            low, high = intervals[name]
            printing.out(f"  {name:<14}{100 * value:5.1f} %   95 % between {100 * low:.1f} and {100 * high:.1f}")


def _say_skipped(outcome: Evaluation) -> None:
    if outcome.skipped:
        first = outcome.skipped[0]
        printing.note(
            f"{printing.count(len(outcome.skipped), 'picture')} skipped, e.g. "
            f"{printing.printable(first.uri)}: {printing.printable(first.reason)} (--json lists all)"
        )


def _teller() -> Callable[[int, int], None] | None:
    """Rewrites one line of a terminal with the pictures done; silent elsewhere."""
    if not (sys.stderr.isatty() and colour_wanted()):
        return None

    def tell(done: int, total: int) -> None:
        if done == total:
            sys.stderr.write("\r\033[K")
        elif done % 16 == 0:
            sys.stderr.write(f"\rencoding pictures: {done:,} of {total:,}")
        sys.stderr.flush()

    return tell
