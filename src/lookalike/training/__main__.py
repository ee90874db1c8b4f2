"""`python -m lookalike.training STEP --work DIR`: one step of making the built-in encoder."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lookalike.training import phases, steps
from lookalike.training.export import Shipping
from lookalike.training.lexicon import LANGUAGES
from lookalike.training.recipes import BUILTIN_2, RECIPES
from lookalike.training.snapshots import Snapshots
from lookalike.training.workshop import Workshop

if TYPE_CHECKING:
    from lookalike.training.graphs import Storage
    from lookalike.training.recipes import Recipe

_WIDTHS = (64, 128, 256)  # of which the first components serve alone: docs/encoders.md


def main() -> None:
    """Run the step that the command line names; what happens is logged to standard error."""
    given = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    shop = Workshop(given.work, Snapshots(given.snapshots), given.workers)
    recipe = RECIPES[given.recipe].with_schedule(minutes=given.minutes, batch=given.batch)
    done: object = None
    match given.step:
        case "pack":
            steps.pack_photos(shop)
        case "words":
            steps.gather_words(shop, recipe)
        case "targets":
            steps.ask_teachers(shop, recipe)
        case "train":
            _train(shop, recipe, given)
        case "export":
            storage: Storage = "int8" if given.int8 else "float16"
            shipping = Shipping(
                BUILTIN_2.name, version=2, side=recipe.side, languages=LANGUAGES, widths=_WIDTHS, mirror=True
            )
            done = steps.export_encoder(shop, recipe, given.encoder, shipping, storage=storage)
        case "score":
            done = steps.score(shop, given.encoder)
    if done is not None:
        logging.getLogger(__name__).info("%s", json.dumps(done, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lookalike.training", description=steps.__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("step", choices=["pack", "words", "targets", "train", "export", "score"])
    parser.add_argument("--work", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument(
        "--snapshots", type=Path, default=Path("snapshots"), help="folder of git repositories, OWNER+NAME each"
    )
    parser.add_argument("--recipe", choices=list(RECIPES), default=BUILTIN_2.name)
    parser.add_argument("--workers", type=int, default=2, help="processes for packing and asking")
    training = parser.add_argument_group("train")
    training.add_argument("--phase", choices=phases.PHASES, action="append", help="only this one; may be repeated")
    training.add_argument("--minutes", type=float, help="of each phase, instead of the recipe's")
    training.add_argument("--batch", type=int, help="of each phase, instead of the recipe's")
    training.add_argument("--device", default="cpu", help="cpu or cuda")
    training.add_argument("--threads", type=int)
    training.add_argument("--compile", action="store_true", help="let torch compile the image tower")
    training.add_argument("--start", type=Path, help="folder of another run's phase image to go on from")
    exporting = parser.add_argument_group("export, score")
    exporting.add_argument("--encoder", type=Path, default=Path("encoder"), help="folder of the exported encoder")
    exporting.add_argument("--int8", action="store_true", help="int8 instead of float16")
    return parser.parse_args()


def _train(shop: Workshop, recipe: Recipe, given: argparse.Namespace) -> None:
    """Train; an interrupt ends it at a checkpoint."""
    if given.threads:
        torch.set_num_threads(given.threads)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    means = phases.Means(given.device, given.compile, given.start)
    phases.train(shop, recipe, given.phase or phases.PHASES, means=means, stopped=stop.is_set)


if __name__ == "__main__":
    main()
