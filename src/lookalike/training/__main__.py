"""`python -m lookalike.training STEP --work DIR --snapshots DIR`: one step of making the built-in encoder."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.training import steps
from lookalike.training.export import Shipping
from lookalike.training.recipes import BUILTIN_1
from lookalike.training.snapshots import Snapshots

if TYPE_CHECKING:
    from lookalike.training.graphs import Storage


def main() -> None:
    """Run the step that the command line names; what happens is logged to standard error."""
    parser = argparse.ArgumentParser(prog="python -m lookalike.training", description=steps.__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("step", choices=["pack", "words", "targets", "train", "export", "score"])
    parser.add_argument("--work", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--snapshots", type=Path, required=True, help="folder of git repositories, OWNER+NAME each")
    parser.add_argument("--workers", type=int, default=2, help="processes for packing and asking")
    parser.add_argument("--threads", type=int, help="threads for training")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--encoder", type=Path, default=Path("encoder"), help="folder of the exported encoder")
    parser.add_argument("--int8", action="store_true", help="export: int8 instead of float16")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    shop = steps.Workshop(given.work, Snapshots(given.snapshots), given.workers)
    done: object = None
    match given.step:
        case "pack":
            steps.pack_photos(shop, BUILTIN_1)
        case "words":
            steps.gather_words(shop, BUILTIN_1)
        case "targets":
            steps.ask_teachers(shop, BUILTIN_1)
        case "train":
            steps.train(shop, BUILTIN_1, device=given.device, threads=given.threads)
        case "export":
            storage: Storage = "int8" if given.int8 else "float16"
            done = steps.export_encoder(shop, BUILTIN_1, given.encoder, Shipping(), storage=storage)
        case "score":
            done = steps.score(shop, given.encoder)
    if done is not None:
        logging.getLogger(__name__).info("%s", json.dumps(done, indent=2))


if __name__ == "__main__":
    main()
