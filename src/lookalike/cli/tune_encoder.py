"""`lookalike tune-encoder`: from a catalogue to an encoder that finds better in it, and a report of how much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.numbers import whole_number
from lookalike.cli.options import command, device_option, json_option

if TYPE_CHECKING:
    from lookalike.training.tune import Outcome, Task


@command
@click.argument("catalogue", metavar="CATALOGUE")
@click.option("--recipe", metavar="NAME", default="heads", show_default=True, help="What is learned: docs/tuning.md.")
@click.option("--out", metavar="DIR", required=True, help="Where the encoder and its report go.")
@click.option("--base", metavar="NAME", default="builtin", show_default=True, help="The encoder to tune.")
@click.option("--with", "others", metavar="NAMES", help="Further encoders, for recipes that join several: a,b")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A setting of the recipe; repeatable.")
@click.option("--image-column", metavar="NAME", help="The column that names the pictures.")
@click.option("--text-columns", metavar="NAMES", help="The columns to learn words from: title,brand")
@click.option("--template", metavar="TEXT", default="", help="One text of several columns: '{title}, {category}'.")
@click.option("--stop-words", is_flag=True, help="Leave small words out of texts.")
@click.option("--lemmas", is_flag=True, help="Take the ground forms of words (extra lemmas for Cyrillic).")
@click.option("--label-column", metavar="NAME", help="The column that says what kind a picture is.")
@click.option("--views", type=whole_number(1, 64), metavar="N", help="Looks at each picture.  [default: the recipe's]")
@click.option("--seed", type=whole_number(0), default=0, show_default=True, help="Of the split and of the learning.")
@click.option("--work", metavar="DIR", help="Where vectors are kept between runs.  [default: OUT.work]")
@click.option("--force", is_flag=True, help="Write the encoder even if it is no better than the base.")
@click.option("--wandb", is_flag=True, help="Also log the curves to Weights & Biases.")
@device_option
@json_option
def tune_encoder(
    *,
    catalogue: str,
    recipe: str,
    out: str,
    base: str,
    others: str | None,
    settings: tuple[str, ...],
    device: str,
    as_json: bool,
    **more: Any,
) -> None:
    """Tune an encoder to a catalogue.

    CATALOGUE is a table with pictures and titles, or a folder of class folders. A part of it is held out: the report
    says what the tuned encoder finds there, and what it found before. Use it as --encoder OUT, or move a collection
    to it: lookalike migrate --encoder OUT.
    """
    from lookalike.cli.counting import counting
    from lookalike.cli.opening import fetch_encoder
    from lookalike.training.tune import tune_encoder as tune

    names = [base, *(name.strip() for name in (others or "").split(",") if name.strip())]
    task = _task(catalogue, out, recipe, settings, encoders=len(names), **more)
    encoders = [fetch_encoder(name, device) for name in names]
    shown = {what: counting(f"encoding {what}") for what in ("pictures", "texts")}
    outcome = tune(
        task,
        encoders,
        progress=lambda what, done, total: tell(done, total) if (tell := shown[what]) else None,
        told=printing.note,
    )
    if as_json:
        printing.out_json(outcome.as_dict())
    else:
        _show(outcome)


def _task(catalogue: str, out: str, recipe: str, settings: tuple[str, ...], *, encoders: int, **more: Any) -> Task:
    """What was asked for. Raises click.UsageError for a recipe or a setting there is not, or too many `encoders`."""
    from lookalike.engine.text_preparation import TextPreparation
    from lookalike.training.recipe_settings import load_recipe, read_settings
    from lookalike.training.tune import Task

    said = {}
    for each in settings:
        name, _, value = each.partition("=")
        if not name or not value:
            raise click.UsageError(f"--set {each}: say NAME=VALUE")
        said[name.strip().replace("-", "_")] = value.strip()
    try:
        read = read_settings(load_recipe(recipe, encoders).Settings, said, more["seed"])
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    columns = tuple(name.strip() for name in (more.pop("text_columns") or "").split(",") if name.strip())
    folder = Path(out).expanduser()
    work = Path(more.pop("work") or f"{folder}.work").expanduser()
    texts = TextPreparation(**{name: more.pop(name) for name in ("template", "lemmas", "stop_words")})
    return Task(Path(catalogue).expanduser(), folder, work, recipe, read, text_columns=columns, texts=texts, **more)


def _show(outcome: Outcome) -> None:
    """Before and after of each kind of question, and what to do next."""
    for compared in outcome.as_dict()["compared"]:
        printing.out(f"{compared['what']}, {printing.count(compared['queries'], 'held-out question')}")
        rows = [
            (
                f"  {name}",
                f"{each['before']:.3f}",
                f"{each['after']:.3f}",
                f"{each['interval'][0]:+.3f} to {each['interval'][1]:+.3f}",
                f"{each['ceiling']:.3f}" if "ceiling" in each else "",
            )
            for name, each in compared["figures"].items()
        ]
        printing.table(rows, header=("", "before", "after", "difference, 95 %", "at best"))
        printing.out()
    printing.out(f"{outcome.tuned.verdict[:1].upper()}{outcome.tuned.verdict[1:]}.")
    if outcome.material.skipped:
        first = outcome.material.skipped[0]
        printing.note(
            f"{printing.count(len(outcome.material.skipped), 'picture')} left out, e.g. "
            f"{printing.printable(first.uri)}: {printing.printable(first.reason)} (--json lists all)"
        )
    folder = printing.printable(str(outcome.task.out))
    printing.note(f"The report: {folder}/report.html, after {printing.duration(outcome.seconds)}.")
    if outcome.written:
        printing.note(f"Next: lookalike migrate --encoder {folder}")
    else:
        printing.note(outcome.not_written())
