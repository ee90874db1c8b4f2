"""Make the golden collection of a built-in encoder: what users of that version have on their disks.

    python tools/make_golden_builtin.py WEIGHTS NAME [--commit COMMIT]

writes tests/golden/NAME/: a collection of the photos in tests/golden/photos/, made with the encoder in the folder
WEIGHTS, and `answers.json`: what it answered then. COMMIT is where the weights stand in the repository's history, for
`tools/check_older_builtins.py`; without it they are few and are kept in NAME/weights/. Run once for each version that
is shipped, never again over an old one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from make_golden import GOLDEN, settle

import lookalike
from lookalike.encoders.identity import encoder_files, identify
from lookalike.encoders.load import load_encoder_by_id

PHOTOS = GOLDEN / "photos"
WORDS = ("a cat", "a cup of coffee", "a rocket", "the moon")


def keep_as_builtin(weights: Path, models: Path) -> str:
    """Put `weights` where the first use of that version would have kept them; the encoder's id."""
    encoder_id = identify(weights, "builtin", models)
    kept = models / "builtin" / encoder_id.rpartition("-")[2]
    for name in encoder_files(weights):
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(weights / name, kept / name)
    return encoder_id


def answers(collection: lookalike.Collection) -> dict:
    """For every question in words, and every photo: the names of all photos, best first, and the best score."""
    asked = {text: text for text in WORDS} | {path.name: path for path in sorted(PHOTOS.glob("*.jpg"))}
    told = {}
    for name, query in asked.items():
        hits = collection.search(query, k=100).hits
        told[name] = {"hits": [Path(hit.uri).name for hit in hits], "score": round(hits[0].score, 4)}
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("name")
    parser.add_argument("--commit")
    asked = parser.parse_args()
    target = GOLDEN / asked.name
    if target.exists():
        print(f"{target} is there already; a golden collection is never changed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        models, made = Path(scratch, "models"), Path(scratch, "golden.lookalike")
        encoder = load_encoder_by_id(keep_as_builtin(asked.weights, models), models_dir=models)
        with lookalike.open(made, encoder=encoder) as collection:
            list(collection.sync([PHOTOS]))
            told = answers(collection)
        settle(made)
        shutil.copytree(made, target / "collection", ignore=shutil.ignore_patterns("write.*"))
    record = {"encoder": encoder.id, "commit": asked.commit, "answers": told}
    (target / "answers.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if not asked.commit:
        shutil.copytree(asked.weights, target / "weights")
    print(target, sum(file.stat().st_size for file in target.rglob("*") if file.is_file()), "bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
