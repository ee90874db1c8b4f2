"""The vectors that the index measurements run on: real ones up to 300,000, beyond that a mixture fitted to them.

    python tools/bench/index_vectors.py embed --work DIR --captions FILE PHOTOS [PHOTOS ...]
    python tools/bench/index_vectors.py fit --work DIR
    python tools/bench/index_vectors.py grow --work DIR

PHOTOS are folders of pictures and .npy stacks of them (uint8, n x h x w x 3); FILE holds a caption a line. `embed`
writes the real vectors (`index_embedding.py`), `fit` the mixture and how it compares with them (`index_mixture.py`),
`grow` one million rows of width 256 and ten million of 512, 10 GB. All of it goes on where it was interrupted.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import index_embedding
import index_mixture

REAL = 300_000
GROWN = {256: 1_000_000, 512: 10_000_000}


def embed(asked: Namespace) -> None:
    from lookalike.encoders.load import load_encoder

    encoder = load_encoder(asked.encoder, threads=asked.threads)
    asked.work.mkdir(parents=True, exist_ok=True)
    made_by = asked.work / "encoder.json"
    if made_by.exists() and json.loads(made_by.read_text())["id"] != encoder.id:
        raise SystemExit(f"{asked.work} holds vectors of another encoder; take an empty folder")
    made_by.write_text(json.dumps({"id": encoder.id, "dim": encoder.dim}))
    captions = [line for line in asked.captions.read_text(encoding="utf-8").splitlines() if line.strip()]
    photos = index_embedding.Photos(asked.photos, encoder.image_side)
    print(f"{len(photos):,} photos, {len(captions):,} captions, {encoder.id}")
    for part in asked.parts:
        index_embedding.embed(photos, captions, encoder, asked.work, count=asked.count, part=part)


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    steps = parser.add_subparsers(required=True)
    for name, step in (("embed", embed), ("fit", index_mixture.fit_all), ("grow", index_mixture.grow_all)):
        one = steps.add_parser(name)
        one.set_defaults(step=step)
        one.add_argument("--work", type=Path, required=True, help="where the vectors are kept")
        one.add_argument("--dims", type=int, nargs="+", default=list(GROWN))
        if step is embed:
            one.add_argument("photos", type=Path, nargs="+")
            one.add_argument("--captions", type=Path, required=True)
            one.add_argument("--encoder", default="builtin")
            one.add_argument("--count", type=int, default=REAL)
            one.add_argument("--parts", nargs="+", default=index_embedding.PARTS)
            one.add_argument("--threads", type=int)
        else:
            one.add_argument("--rows", type=int, help="rows to grow to, instead of the full size")
    asked = parser.parse_args()
    asked.step(asked)


if __name__ == "__main__":
    main()
