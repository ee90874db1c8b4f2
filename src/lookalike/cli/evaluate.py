"""`lookalike evaluate`: one ruler for how well encoders find judged pictures, and which of them finds better."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.numbers import whole_number
from lookalike.cli.options import command, device_option, json_option, output_file
from lookalike.cli.settings import collection_path, colour_wanted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookalike.core.protocols import Encoder
    from lookalike.evaluation.evaluate import Evaluation, Run
    from lookalike.evaluation.judgements import Judgements
    from lookalike.evaluation.measured import Measured


@command
@click.argument("judgements", metavar="[JUDGEMENTS]", required=False)
@click.option("--labels", metavar="PATH", help="A folder of class folders, or a CSV file: image, label.")
@click.option("--captions", metavar="CSV", help="A CSV file: image, caption.")
@click.option("--images", metavar="DIR", help="Where the images a CSV file names lie.  [default: beside it]")
@click.option("--pool", metavar="DIR", help="Rank all pictures of this folder too, judged or not.")
@click.option("--collection", metavar="DIR", help="The items of JUDGEMENTS are those of this collection.")
@click.option("--encoder", metavar="NAME", help="The encoder to measure.  [default: the collection's, else builtin]")
@click.option(
    "--encoders", metavar="LIST", help="Several, separated by commas; the others are compared with the first."
)
@click.option("--metrics", metavar="LIST", help="Other figures, like hit@1,ndcg@20.")
@click.option("--seed", type=whole_number(0), default=0, show_default=True, help="Of the resampling.")
@click.option("--html", metavar="FILE", help="Write a report with plots and pictures.")
@click.option("--per-query", metavar="CSV", help="Write every question's own figures.")
@device_option
@json_option
def evaluate(
    *,
    judgements: str | None,
    labels: str | None,
    captions: str | None,
    images: str | None,
    pool: str | None,
    collection: str | None,
    encoder: str | None,
    encoders: str | None,
    metrics: str | None,
    seed: int,
    html: str | None,
    per_query: str | None,
    device: str,
    as_json: bool,
) -> None:
    """Measure how well encoders find judged pictures, and which finds better.

    JUDGEMENTS is a folder of class folders or a CSV file: query, item and grade; or image and label; or image and
    caption. Each figure comes with the interval in which it lies with 95 % confidence. No collection is needed.
    """
    from lookalike.evaluation.evaluate import evaluate_all
    from lookalike.evaluation.metrics import METRICS, depth_of
    from lookalike.evaluation.question_table import write_question_table

    if sum(each is not None for each in (judgements, labels, captions)) != 1:
        raise click.UsageError("give JUDGEMENTS, or --labels, or --captions")
    if encoder is not None and encoders is not None:
        raise click.UsageError("give either --encoder or --encoders")
    wanted = METRICS if metrics is None else tuple(each.strip() for each in metrics.split(","))
    try:
        depth_of(wanted)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    report = output_file("--html", html) if html else None
    table = output_file("--per-query", per_query) if per_query else None
    judged = _read(judgements, labels, captions, images=images, pool=pool, collection=collection)
    names = (encoders or encoder or "").split(",")
    run = evaluate_all(_encoders(names, judged, device), judged, metrics=wanted, seed=seed, progress=_teller())
    if report is not None:
        _write_report(run, report)
    if table is not None:
        write_question_table(run, table)
    if as_json:
        printing.out_json(run.as_dict())
    else:
        _show(run)


def _read(
    path: str | None,
    labels: str | None,
    captions: str | None,
    *,
    images: str | None,
    pool: str | None,
    collection: str | None,
) -> Judgements:
    from lookalike.evaluation.judgements import kind_of, read_captions, read_labels

    kind = "labels" if labels else "captions" if captions else kind_of(path or "")
    given = labels or captions or path or ""
    if kind == "qrels":
        return _read_qrels(given, images, pool, collection)
    if pool is not None or collection is not None:
        raise click.UsageError("--pool and --collection go with judgements of query and item")
    return read_labels(given, images) if kind == "labels" else read_captions(given, images)


def _read_qrels(path: str, images: str | None, pool: str | None, collection: str | None) -> Judgements:
    """Of image files, or of the collection's items; where no file is there, of the usual collection's."""
    from lookalike.core.errors import SourceError
    from lookalike.evaluation.qrels import read_qrels

    if pool is not None and collection is not None:
        raise click.UsageError("a collection is ranked whole; leave --pool out")
    if collection is not None:
        return read_qrels(path, images=images, collection=collection_path(collection))
    try:
        return read_qrels(path, images=images, pool=pool)
    except SourceError:
        usual = collection_path(None)
        if pool is not None or not usual.exists():
            raise
        judged = read_qrels(path, images=images, collection=usual)
        printing.note(f"items are those of the collection {usual}")
        return judged


def _encoders(names: list[str], judged: Judgements, device: str) -> list[Encoder]:
    from lookalike.cli.opening import fetch_encoder
    from lookalike.encoders.load import load_encoder_by_id

    wanted = [name.strip() for name in names if name.strip()]
    if not wanted and judged.known is not None:
        return [load_encoder_by_id(judged.known.encoder_id, device=device, notice=printing.note)]
    found = [fetch_encoder(name, device) for name in wanted or ["builtin"]]
    ids = [encoder.id for encoder in found]
    if len(set(ids)) < len(ids):
        raise click.UsageError("--encoders names the same encoder twice")
    return found


def _names(run: Run) -> list[str]:
    """What each encoder is called: its name, its id where two have one name."""
    names = [evaluation.name for evaluation in run.evaluations]
    return [each.encoder if names.count(each.name) > 1 else each.name for each in run.evaluations]


def _write_report(run: Run, path: Path) -> None:
    from lookalike.evaluation.report import write_report
    from lookalike.evaluation.run_report import report_of

    write_report(path, report_of(run, _names(run)))
    printing.note(f"report: {path}")


# --- the terminal ---------------------------------------------------------------------------------


def _show(run: Run) -> None:
    """A table of figures for each way of asking, and what they mean for the choice between encoders."""
    from lookalike.evaluation.questions import WAY_NAMES
    from lookalike.evaluation.run_report import doubts, sides_of, verdicts

    names = _names(run)
    ids = ", ".join(evaluation.encoder for evaluation in run.evaluations)
    pictures = printing.count(run.evaluations[0].pictures, "picture")
    printing.out(f"encoder{'s' if len(names) > 1 else ''} {ids}, {pictures}")
    for way in run.asked:
        sides = sides_of(run, way, names)
        if sides:
            queries = printing.count(sides[0].measured.queries, "query", "queries")
            printing.out()
            printing.out(f"{WAY_NAMES[way, run.judgements.kind]} ({queries})")
            if len(sides) == 1:
                _show_one(sides[0].measured, run.seed)
            else:
                _show_several({side.name: side.measured for side in sides}, run.seed)
    if len(names) == 2:
        printing.note("* no luck: the interval leaves out 0, and p is below 0.05")
    sentences = list(verdicts(run, names))
    if sentences:
        printing.out()
    for sentence in sentences:
        printing.out(sentence)
    for doubt in doubts(run):
        printing.note(doubt)
    _say_skipped(run.evaluations[0])


def _show_one(measured: Measured, seed: int) -> None:
    from lookalike.evaluation.figures import REACHED, shown

    intervals = measured.intervals(seed) or {}
    for name, value in (measured.means() or {}).items():
        low, high = (shown(name, end).removesuffix(" %") for end in intervals[name])
        ceiling = measured.ceilings.get(name, 1.0)
        most = f", at best {shown(name, ceiling)}" if ceiling < REACHED else ""
        printing.out(f"  {name:<14}{shown(name, value):>7}   95 % between {low} and {high}{most}")


def _show_several(found: dict[str, Measured], seed: int) -> None:
    """Figures of all; of two also their difference: more would not fit a terminal, and the report has them."""
    from lookalike.evaluation.figures import shown

    first, *others = found
    header = ["", *found]
    means = [each.means() or {} for each in found.values()]
    rows = [[f"  {metric}", *(shown(metric, each[metric]) for each in means)] for metric in means[0]]
    if len(others) == 1:
        header += ["difference", "95 % between", "p"]
        for row, cells in zip(rows, _differences(found[first], found[others[0]], seed), strict=True):
            row.extend(cells)
    printing.table(rows, header=header)


def _differences(before: Measured, after: Measured, seed: int) -> list[tuple[str, str, str]]:
    """Difference, interval and p of every figure; a star: no luck."""
    from lookalike.evaluation.figures import shown_difference, shown_p

    return [
        (
            shown_difference(metric, each.mean),
            f"{shown_difference(metric, each.low)} to {shown_difference(metric, each.high)}",
            f"{shown_p(each.p)}{' *' if each.sure else ''}",
        )
        for metric, each in after.against(before, seed).items()
    ]


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
