"""What each view of `encoders/views.py` is worth: pictures found by pictures and by words, with the built-in encoder.

    python tools/bench/views.py --caltech DIR --flickr DIR --fashion DIR --work DIR [--each N] [--out FILE]

`--caltech`: a folder of class folders. `--flickr`: images/ and captions.csv. `--fashion`: images/, styles.csv and
styles_text.csv as `fashion.py` describes them. Of each set N pictures are taken, evenly over all. Every crop and its
mirror image is encoded once and kept in `--work`; a run that was stopped goes on. The built-in looks at each picture
and its mirror image by itself, so every figure but "plain" has both. Differences are to "whole", which is the built-in
as it is shipped, paired over the same questions, 95 % by bootstrap.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.core.cores import usable_cores
from lookalike.core.records import DecodeLimits, Picture
from lookalike.encoders.load import BUILTIN_FOLDER, load_encoder
from lookalike.encoders.views import VIEWS
from lookalike.evaluation.metrics import bootstrap_interval, judge, per_query
from lookalike.images.decoding_pool import decode_many
from lookalike.images.folder import folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lookalike.core.protocols import Encoder

CROPS = tuple(view for view in VIEWS if view != "flip")
COUNTS = {"five": 5}
"""Crops that a view makes, where it is not one."""
CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "centre": ("centre",),
    "border": ("border",),
    "salient": ("salient",),
    "five": ("five",),
    "whole + centre": ("whole", "centre"),
    "whole + border": ("whole", "border"),
    "whole + salient": ("whole", "salient"),
    "whole + five": ("whole", "five"),
    "whole + border + salient": ("whole", "border", "salient"),
    "all": CROPS,
}
BATCH = 16


@dataclass(frozen=True)
class Questions:
    """`pictures`, the words asked, and which are right: bool (texts, pictures); `alike`: bool (pictures, pictures)."""

    pictures: list[Path]
    texts: list[str]
    right: NDArray[np.bool_]
    alike: NDArray[np.bool_] | None


def main() -> None:
    asked = _arguments()
    asked.work.mkdir(parents=True, exist_ok=True)
    sets = {
        "Caltech-101": _labelled(asked.caltech, asked.each),
        "fashion": _fashion(asked.fashion, asked.each),
        "Flickr photos": _captioned(asked.flickr, asked.each),
    }
    plain = _unmirrored(asked.work)
    figures: dict[str, Any] = {"encoder": load_encoder("builtin").id, "sets": {}}
    for name, questions in sets.items():
        seen = _seen(plain, questions, asked.work / f"{name.split('-')[0].split()[0].lower()}.npz")
        figures["sets"][name] = _measured(questions, seen, plain.encode_texts(questions.texts))
        if asked.out:
            asked.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _tell(figures)


def _arguments() -> Namespace:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("caltech", "flickr", "fashion", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--each", type=int, default=2000, help="pictures of each set")
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    return parser.parse_args()


# --- questions ------------------------------------------------------------------------------------


def _evenly(found: list[Any], count: int) -> list[Any]:
    return [found[round(at)] for at in np.linspace(0, len(found) - 1, min(count, len(found)))]


def _labelled(root: Path, count: int) -> Questions:
    paths = _evenly(sorted(root.glob("*/*.jpg")), count)
    labels = np.array([path.parent.name for path in paths])
    names = sorted(set(labels))
    right = np.array(names)[:, None] == labels
    return Questions(paths, [name.replace("_", " ") for name in names], right, labels[:, None] == labels)


def _captioned(root: Path, count: int) -> Questions:
    captions: dict[str, list[str]] = {}
    with (root / "captions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            captions.setdefault(row["image"], []).append(row["caption"])
    names = _evenly(sorted(captions), count)
    texts = [(caption, name) for name in names for caption in captions[name]]
    right = np.array([name for _, name in texts])[:, None] == np.array(names)
    return Questions([root / "images" / name for name in names], [text for text, _ in texts], right, None)


def _fashion(root: Path, count: int) -> Questions:
    """Titles as words; of one kind of article are alike."""
    with (root / "styles.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (root / "styles_text.csv").open(encoding="utf-8", newline="") as file:
        titles = [row["productDisplayName"] for row in csv.DictReader(file)]
    there = {path.stem for path in (root / "images").glob("*.jpg")}
    products = [(row, title) for row, title in zip(rows, titles, strict=True) if row["id"] in there and title]
    products = _evenly(products, count)
    kinds = np.array([row["articleType"] for row, _ in products])
    names = np.array([title for _, title in products])
    paths = [root / "images" / f"{row['id']}.jpg" for row, _ in products]
    asked = sorted(set(names.tolist()))
    return Questions(paths, asked, np.array(asked)[:, None] == names, kinds[:, None] == kinds)


# --- vectors --------------------------------------------------------------------------------------


def _unmirrored(work: Path) -> Encoder:
    """The built-in without its own look at the mirror image."""
    there = work / "plain"
    shutil.copytree(BUILTIN_FOLDER, there, dirs_exist_ok=True)
    config = json.loads((there / "config.json").read_text(encoding="utf-8")) | {"mirror": False}
    (there / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return load_encoder(str(there), models_dir=work / "models")


def _seen(encoder: Encoder, questions: Questions, kept: Path) -> dict[str, NDArray[np.float32]]:
    """For each crop float32 (pictures, crops of it, 2, dim): as it is and mirrored."""
    if kept.exists():
        with np.load(kept) as stored:
            return dict(stored)
    found = {view: np.zeros((len(questions.pictures), COUNTS.get(view, 1), 2, encoder.dim), "f4") for view in CROPS}
    row_of = {str(path): row for row, path in enumerate(questions.pictures)}
    sources = [folder(path) for path in questions.pictures]
    jobs = ((source, next(iter(source.assets()))) for source in sources)
    batch: dict[int, Any] = {}
    side = 2 * encoder.image_side
    answers = decode_many(jobs, side=side, limits=DecodeLimits(), workers=usable_cores())
    for done, (_, asset, picture) in enumerate(answers, start=1):
        if not isinstance(picture, Picture):
            sys.exit(f"{asset.uri}: {picture.reason}")
        batch[row_of[asset.uri]] = picture.pixels
        if len(batch) == BATCH or done == len(questions.pictures):
            _encode(encoder, batch, found)
            batch.clear()
            print(f"\r{kept.stem} {done:,} of {len(questions.pictures):,}", end="", file=sys.stderr, flush=True)
    np.savez(kept, **found)
    return found


def _encode(encoder: Encoder, batch: dict[int, Any], found: dict[str, NDArray[np.float32]]) -> None:
    for view, vectors in found.items():
        crops = [crop for pixels in batch.values() for crop in VIEWS[view](pixels)]
        both = [side for crop in crops for side in (crop, np.ascontiguousarray(crop[:, ::-1]))]
        vectors[list(batch)] = encoder.encode_images(both).reshape(len(batch), -1, 2, encoder.dim)


def _mirrored(seen: dict[str, NDArray[np.float32]], views: tuple[str, ...]) -> NDArray[np.float32]:
    """As `Views` makes them of the built-in: each crop with its mirror image of unit length, then their mean."""
    parts = np.concatenate([seen[view] for view in views], axis=1).sum(axis=2)
    parts /= np.linalg.norm(parts, axis=-1, keepdims=True)
    return unit_vectors(parts.mean(axis=1))


# --- figures --------------------------------------------------------------------------------------


def _measured(questions: Questions, seen: dict[str, NDArray[np.float32]], texts: NDArray[np.float32]) -> dict[str, Any]:
    kinds = {"words": ("hit@10" if questions.right.sum(1).mean() < 1.5 else "map@10")}
    kinds |= {"pictures": "map@10"} if questions.alike is not None else {}

    def values(vectors: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        scores = {"words": texts @ vectors.T, "pictures": vectors @ vectors.T}
        right = {"words": questions.right, "pictures": questions.alike}
        own = {"words": None, "pictures": np.arange(len(vectors))}
        found = {kind: judge(scores[kind], right[kind], 10, own=own[kind]) for kind in kinds}
        return {kind: per_query(found[kind], metric) for kind, metric in kinds.items()}

    base = values(_mirrored(seen, ("whole",)))
    rows: dict[str, Any] = {"whole": {kind: {"mean": float(np.nanmean(base[kind]))} for kind in kinds}}
    vectors = {"plain": unit_vectors(seen["whole"][:, 0, 0])}
    vectors |= {name: _mirrored(seen, views) for name, views in CANDIDATES.items()}
    for name, candidate in vectors.items():
        other = values(candidate)
        rows[name] = {}
        for kind in kinds:
            gain = (other[kind] - base[kind])[~np.isnan(base[kind])]
            rows[name][kind] = {
                "mean": float(np.nanmean(other[kind])),
                "gain": float(gain.mean()),
                "interval": list(bootstrap_interval(gain, 0)),
            }
    return {"pictures": len(questions.pictures), "texts": len(questions.texts), "metrics": kinds, "views": rows}


def _tell(figures: dict[str, Any]) -> None:
    """Rows of the table in `docs/benchmarks/views.md`."""
    columns = [(name, kind) for name, one in figures["sets"].items() for kind in one["metrics"]]
    print("| views | " + " | ".join(f"{n}, {k}, {figures['sets'][n]['metrics'][k]}" for n, k in columns) + " |")
    for view in next(iter(figures["sets"].values()))["views"]:
        cells = []
        for name, kind in columns:
            one = figures["sets"][name]["views"][view][kind]
            change = "" if "gain" not in one else f" ({100 * one['gain']:+.1f}, {_span(one['interval'])})"
            cells.append(f"{100 * one['mean']:.1f}{change}")
        print(f"| {view} | " + " | ".join(cells) + " |")


def _span(interval: list[float]) -> str:
    return " to ".join(f"{100 * end:+.1f}" for end in interval)


if __name__ == "__main__":
    main()
