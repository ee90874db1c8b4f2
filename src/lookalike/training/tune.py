"""From a catalogue to an encoder that finds better in it, and a report of how much: what `lookalike tune-encoder` does.

Encodes once (`material`), hands the vectors to a recipe, and writes what came of it into one folder: the encoder (when
it is better, or the user insists), `report.html`, `figures.json`, and the curves as PNG.
"""

from __future__ import annotations

import importlib
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import MissingExtra
from lookalike.engine.text_preparation import TextPreparation
from lookalike.evaluation.chart import draw_chart
from lookalike.evaluation.report import Plot, write_report
from lookalike.training.destination import check_destination
from lookalike.training.material import gather, shared
from lookalike.training.recipe_settings import load_recipe
from lookalike.training.splits import TEST
from lookalike.training.tuning_page import page_of, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lookalike.core.protocols import Encoder
    from lookalike.training.material import Material
    from lookalike.training.tuned import Comparison, Tuned

REPORT, FIGURES = "report.html", "figures.json"
FEW = 20
"""Pictures of the test: with fewer an interval is as wide as what is measured."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is tuned, on what, and how.

    `work`: where vectors are kept between runs. `settings`: the recipe's own, None for its defaults. `views`: looks at
    each picture, None for as many as the recipe wants. `texts`: what is done to texts before they are encoded.
    `force`: write the encoder though it is no better.
    """

    catalogue: Path
    out: Path
    work: Path
    recipe: str = "heads"
    settings: Any = None
    image_column: str | None = None
    text_columns: tuple[str, ...] = ()
    label_column: str | None = None
    texts: TextPreparation = field(default_factory=TextPreparation)
    views: int | None = None
    seed: int = 0
    force: bool = False
    wandb: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task. `written`: whether the encoder was; `earlier`: whether that of another run lies there."""

    task: Task
    tuned: Tuned
    material: Material
    written: bool
    earlier: bool
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The object of `tune-encoder --json` and of figures.json."""
        return {
            "recipe": self.tuned.recipe,
            "encoder": str(self.task.out) if self.written else None,
            "earlier_encoder": self.earlier,
            "base": self.material.base_id,
            "better": self.tuned.better,
            "verdict": self.tuned.verdict,
            "compared": [_figures(each) for each in self.tuned.compared],
            "material": self.material.about(),
            "texts": self.task.texts.as_dict(),
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.material.skipped],
            "curve": [dict(point) for point in self.tuned.curve],
            "about": dict(self.tuned.about),
            "report": str(self.task.out / REPORT),
            "seed": self.task.seed,
            "seconds": round(self.seconds, 1),
            "versions": versions(),
        }

    def not_written(self) -> str:
        """What is to be said of the encoder where it was not written; "" where it was."""
        if self.written:
            return ""
        said = "The encoder was not written; --force writes it all the same."
        return (
            f"{said} The one in this folder is of an earlier run, and not what this is about." if self.earlier else said
        )


def tune_encoder(
    task: Task,
    encoders: Sequence[Encoder],
    *,
    progress: Callable[[str, int, int], None] | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Tune `encoders[0]`, with the others at hand for recipes that join several.

    Raises, before anything is encoded, EncoderError where the encoder cannot be written to `task.out`, MissingExtra,
    and ValueError for a recipe there is not or that does not take so many encoders; SourceError where the catalogue
    lacks what the recipe needs.
    """
    began = time.monotonic()
    recipe = load_recipe(task.recipe, len(encoders))
    settings = recipe.Settings() if task.settings is None else task.settings
    if getattr(settings, "work", None) == "":
        settings = replace(settings, work=str(task.work))
    if task.wandb:
        _wandb()
    check_destination(task.out, encoders)
    gathered: list[Material] = []
    for encoder in encoders:
        gathered.append(_gather(task, encoder, task.views or recipe.VIEWS, next(iter(gathered), None), progress))
    materials = shared(gathered)
    if (tested := len(materials[0].pictures(TEST))) < FEW:
        told(f"only {tested} pictures are held out for the test: figures of so few say little")
    tuned: Tuned = recipe.tune(materials, settings, told)
    written = tuned.better or task.force
    if written:
        tuned.write(task.out, tuple(encoders))
    earlier = not written and (task.out / "config.json").is_file()
    outcome = Outcome(task, tuned, materials[0], written, earlier, time.monotonic() - began)
    _write(outcome)
    return outcome


def _gather(
    task: Task,
    encoder: Encoder,
    views: int,
    like: Material | None,
    progress: Callable[[str, int, int], None] | None,
) -> Material:
    return gather(
        task.catalogue,
        encoder,
        work=task.work,
        views=views,
        image_column=task.image_column,
        text_columns=task.text_columns,
        label_column=task.label_column,
        prepared=task.texts,
        seed=task.seed,
        like=like,
        progress=progress,
    )


def _figures(comparison: Comparison) -> dict[str, Any]:
    before, after = comparison.before.means() or {}, comparison.after.means() or {}
    return {
        "what": comparison.what,
        "queries": comparison.before.queries,
        "figures": {
            name: {"before": before[name], "after": after[name], **difference.as_dict()}
            | ({"ceiling": comparison.before.ceilings[name]} if name in comparison.before.ceilings else {})
            for name, difference in comparison.differences().items()
        },
    }


def _write(outcome: Outcome) -> None:
    out = outcome.task.out
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(outcome.as_dict(), indent=1, ensure_ascii=False)
    (out / FIGURES).write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
    write_report(out / REPORT, page_of(outcome))
    for section in outcome.tuned.sections:
        for part in section.parts:
            if isinstance(part, Plot):
                name = "-".join(part.title.lower().replace("@", " at ").split())
                draw_chart(part.title, part.lines, part.x, part.y, out / f"{name}.png")
    if outcome.task.wandb:
        _log_to_wandb(outcome)


def _wandb() -> Any:
    try:
        return importlib.import_module("wandb")
    except ModuleNotFoundError as error:
        raise MissingExtra("logging to Weights & Biases", "wandb") from error


def _log_to_wandb(outcome: Outcome) -> None:
    """The curve and the figures as one run; where to, and whether online, says wandb's own environment."""
    run = _wandb().init(project="lookalike", config=dict(outcome.tuned.about), dir=outcome.task.out)
    for point in outcome.tuned.curve:
        run.log(dict(point))
    for each in outcome.as_dict()["compared"]:
        run.summary.update({f"{each['what']}/{name}": figure for name, figure in each["figures"].items()})
    run.finish()
