"""How well "nothing found" is told: relevance fitted on some things, measured on others, beside simpler ways.

    python tools/bench/cutoff.py --vectors DIR [--encoder NAME ...] [--collections N] [--write]

DIR is what `cutoff_photos.py` wrote, with the captions of flickr-1k as DIR/flickr_test.csv (image, caption). Prints
docs/benchmarks/cutoff.md; `--write` writes it, and the weights to src/lookalike/engine/relevance.json.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from cutoff_cases import Case, cases, read_world
from cutoff_fit import chances, fit
from cutoff_page import page

from lookalike.encoders.load import load_encoder
from lookalike.engine.relevance import FACTS, Calibration, Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent.parent
WEIGHTS = ROOT / "src" / "lookalike" / "engine" / "relevance.json"
PAGE = ROOT / "docs" / "benchmarks" / "cutoff.md"
ASKED = 10  # classes that are there, and that are not, asked for in each collection
SEED = 7
PLAIN = frozenset({"en", "ru", "uk", "phrase", "caption", "picture"})
"""Kinds of questions that can be judged without knowing what is usual."""
LEAST_UNDERSTOOD = 0.5  # of the names of what is there, those with a right answer among the first ten


@dataclass(frozen=True)
class Measured:
    """One encoder: its questions, and its weights fitted on those for tuning."""

    name: str
    encoder_id: str
    scale: Scale
    tune: list[Case]
    test: list[Case]

    def calibration(self) -> Calibration:
        return calibrated(self.tune, self.scale)


def calibrated(tune: Sequence[Case], scale: Scale) -> Calibration:
    fitted = [case for case in tune if case.state != "near"]
    words, pictures = (fit([case for case in fitted if case.is_words == kind]) for kind in (True, False))
    return Calibration(scale, words, pictures)


def measure(name: str, vectors: Path, collections: int) -> Measured:
    encoder = load_encoder(name, threads=1)
    world = read_world(vectors, encoder.name.partition("@")[0], encoder)
    tune, test = (
        list(cases(world, split, collections=collections, asked=ASKED, seed=SEED)) for split in ("tune", "test")
    )
    print(f"{encoder.id}: {len(tune):,} and {len(test):,} questions", file=sys.stderr, flush=True)
    return Measured(encoder.name, encoder.id, world.scale, tune, test)


def give_chances(to: Sequence[Case], calibration: Calibration) -> None:
    for case in to:
        case.measures["relevance"] = chances(case, calibration.words if case.is_words else calibration.pictures)


def understood(measured: Measured) -> Measured:
    """Without the questions in languages that the encoder does not understand."""
    strange = set()
    for kind in {case.kind for case in measured.tune} - {"caption", "picture"}:
        there = [case for case in measured.tune if case.kind == kind and case.state == "present"]
        if sum((case.right == 1).any() for case in there) < LEAST_UNDERSTOOD * len(there):
            strange.add(kind)
    tune, test = ([case for case in part if case.kind not in strange] for part in (measured.tune, measured.test))
    return replace(measured, tune=tune, test=test)


def _plain(case: Case) -> Case:
    """A case as an encoder has it of which nobody knows what is usual."""
    facts = case.facts.copy()
    facts[:, FACTS.index("usual")] = np.nan
    return replace(case, facts=facts)


def figures(measured: Sequence[Measured]) -> tuple[str, dict[str, Calibration]]:
    """The page, and the weights by encoder id, with "general" ones of all encoders together."""
    measured = [understood(each) for each in measured]
    weights = {each.encoder_id: each.calibration() for each in measured}
    whole = [each for each in measured if "@" not in each.name]
    weights["general"] = calibrated(
        [_plain(case) for each in whole for case in each.tune if case.kind in PLAIN], whole[0].scale
    )
    for each in measured:
        others = [other for other in whole if other.name != each.name.partition("@")[0]]
        if others:
            give_chances(each.test, calibrated([case for other in others for case in other.tune], each.scale))
            for case in each.test:
                case.measures["relevance, others' weights"] = case.measures["relevance"]
        give_chances([*each.tune, *each.test], weights[each.encoder_id])
    return page({each.name: (each.tune, each.test) for each in measured}), weights


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--encoder", action="append", help="a name, or the folder of an export; may be repeated")
    parser.add_argument("--collections", type=int, default=60)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    measured = [measure(name, asked.vectors, asked.collections) for name in asked.encoder or ["builtin"]]
    text, weights = figures(measured)
    print(text)
    if asked.write:
        PAGE.write_text(text, encoding="utf-8")
        known = {name: calibration.as_dict() for name, calibration in weights.items()}
        WEIGHTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
