"""Collections made with every built-in encoder ever shipped still answer, with the true weights from the history.

    python tools/check_older_builtins.py

For each tests/golden/*/answers.json that names a commit: takes that version's weights out of the repository's history
into a models folder, as its first use would have kept them, opens a copy of the golden collection with the present
code, compares every answer, and moves the collection to the present built-in. The weights are far too large for the
tests, which do the same with the small ones of tests/golden/builtin-0.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from make_golden_builtin import GOLDEN, PHOTOS, answers, keep_as_builtin

import lookalike

ROOT = Path(__file__).parent.parent
WEIGHTS = "src/lookalike/encoders/builtin"
TOLERANCE = 0.002  # of a score: processors round differently, in int8 by a step


def weights_of(commit: str, folder: Path) -> Path:
    """The built-in encoder as it stood at `commit`."""
    git = ["git", "-C", str(ROOT)]
    listed = subprocess.run([*git, "ls-tree", "-r", "--name-only", commit, WEIGHTS], capture_output=True, check=True)
    for name in listed.stdout.decode().split():
        target = folder / Path(name).relative_to(WEIGHTS)
        target.parent.mkdir(parents=True, exist_ok=True)
        blob = subprocess.run([*git, "show", f"{commit}:{name}"], capture_output=True, check=True)
        target.write_bytes(blob.stdout)
    return folder


def problems(golden: Path, record: dict, place: Path) -> list[str]:
    """What is wrong with the answers of this golden collection; nothing is good."""
    models = place / "models"
    found = keep_as_builtin(weights_of(record["commit"], place / "weights"), models)
    if found != record["encoder"]:
        return [f"{record['commit']} holds {found}, not {record['encoder']}"]
    copy = shutil.copytree(golden / "collection", place / "copy.lookalike")
    wrong = []
    with lookalike.open(copy, create=False, models_dir=models, notice=lambda said: print(f"  {said}")) as collection:
        for name, told in answers(collection).items():
            then = record["answers"][name]
            if told["hits"] != then["hits"] or abs(told["score"] - then["score"]) > TOLERANCE:
                wrong.append(f"{name}: {told} instead of {then}")
        list(collection.sync([PHOTOS]))
        *_, report = collection.migrate("builtin")
        best = collection.search(next(PHOTOS.glob("*.jpg")), k=1).hits[0]
        if report.skipped or best.score < 1 - TOLERANCE:
            wrong.append(f"moved to {collection.encoder.id}: {len(report.skipped)} skipped, best score {best.score}")
    return wrong


def main() -> int:
    wrong = 0
    for path in sorted(GOLDEN.glob("*/answers.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["commit"]:
            print(f"{path.parent.name}: {record['encoder']}")
            with tempfile.TemporaryDirectory() as place:
                for problem in problems(path.parent, record, Path(place)):
                    wrong += 1
                    print(f"  {problem}")
    print("every answer as ever" if not wrong else f"{wrong} answers differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
