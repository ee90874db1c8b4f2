"""What cosine to expect between words and pictures that show it: fits the networks of `engine/familiarity.npz`.

    python tools/bench/familiarity.py --photos VECTORS.npy --unlike DIR [--captions FILE ...] [--write]

VECTORS.npy: the built-in's vectors of photos of everyday life, the more the better (`index_vectors.py embed` writes
such). DIR: what `cutoff_photos.py` wrote; photos like those are left out, for on them the cut-off is measured.
Texts are those of the lexicon and the captions that training reads, and the lines of each FILE. A tenth of the texts is
held out; printed is how much of the spread of their targets is foretold (R2).
"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.encoders.load import load_encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "src" / "lookalike" / "engine" / "familiarity.npz"
DATA = ROOT / "src" / "lookalike" / "training" / "data"
NEAREST = 10
HIDDEN = 64
EPOCHS = 60
ALIKE = 0.98
WIDTHS = (256, 128)
_BLOCK = 8192
_OTHER_LANGUAGES = 0.3  # share of the words of languages beside English, Russian and Ukrainian


def texts(files: list[Path]) -> list[str]:
    draw, found = np.random.default_rng(0), set()
    for line in (DATA / "lexicon.tsv").read_text(encoding="utf-8").splitlines():
        for place, cell in enumerate(line.split("\t")):
            found |= {word.strip() for word in cell.split("|") if place < 3 or draw.random() < _OTHER_LANGUAGES}
    for line in (DATA / "captions.tsv").read_text(encoding="utf-8").splitlines():
        found |= set(line.split("\t")[1:])
    for file in files:
        found |= {line.strip() for line in file.read_text(encoding="utf-8").splitlines()}
    return sorted(found - {""})


def unlike(photos: Vectors, tests: Vectors) -> Vectors:
    """Those of `photos` that are not nearly equal to one of `tests`."""
    alike = np.zeros(len(photos), bool)
    for first in range(0, len(photos), _BLOCK):
        part = photos[first : first + _BLOCK]
        for other in range(0, len(tests), _BLOCK):
            alike[first : first + _BLOCK] |= (part @ tests[other : other + _BLOCK].T > ALIKE).any(axis=1)
    return photos[~alike]


def expected(photos: Vectors, queries: Vectors) -> NDArray[np.float32]:
    """(q,): the mean cosine of the nearest photos."""
    means = np.empty(len(queries), np.float32)
    for start in range(0, len(queries), 1024):
        best = np.full((len(queries[start : start + 1024]), NEAREST), -2, np.float32)
        for first in range(0, len(photos), 2 * _BLOCK):
            cosines = queries[start : start + 1024] @ photos[first : first + 2 * _BLOCK].T
            best = -np.partition(-np.concatenate([best, cosines], axis=1), NEAREST - 1, axis=1)[:, :NEAREST]
        means[start : start + 1024] = best.mean(axis=1)
    return means


def fitted(queries: Vectors, targets: NDArray[np.float32]) -> tuple[dict[str, NDArray[np.float32]], float]:
    """The network, and R2 on texts held out; the same each time."""
    import torch

    torch.manual_seed(0)
    order = np.random.default_rng(1).permutation(len(queries))
    held, learnt = order[: len(order) // 10], order[len(order) // 10 :]
    x, y = torch.from_numpy(queries), torch.from_numpy(targets)
    mean, spread = float(targets.mean()), float(targets.std())
    network = torch.nn.Sequential(torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1))
    adam = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, EPOCHS)
    for _ in range(EPOCHS):
        for some in torch.from_numpy(learnt[torch.randperm(len(learnt)).numpy()]).split(256):
            adam.zero_grad()
            loss = ((network(x[some])[:, 0] - (y[some] - mean) / spread) ** 2).mean()
            loss.backward()
            adam.step()
        schedule.step()
    with torch.no_grad():
        left = network(x[held])[:, 0] * spread + mean - y[held]
        inward, outward = network[0], network[2]
        parts = {
            "inward": inward.weight.T.numpy(),
            "inward_bias": inward.bias.numpy(),
            "outward": outward.weight[0].numpy() * spread,
            "outward_bias": outward.bias.numpy() * spread + mean,
        }
    return parts, 1 - float((left**2).mean() / y[held].var())


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--unlike", type=Path, required=True)
    parser.add_argument("--captions", type=Path, nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    encoder = load_encoder("builtin", threads=2)
    tests = [np.load(path) for path in sorted((asked.unlike / "builtin").glob("*.npy"))]
    photos = unlike(unit_vectors(np.load(asked.photos, mmap_mode="r")), unit_vectors(np.concatenate(tests)))
    said = texts(asked.captions)
    print(f"{len(photos):,} photos, {len(said):,} texts, {hashlib.sha256(''.join(said).encode()).hexdigest()[:12]}")
    queries = np.concatenate([encoder.encode_texts(said[at : at + 256]) for at in range(0, len(said), 256)])
    known = {}
    for width in WIDTHS:
        id = load_encoder("builtin" if width == encoder.dim else f"builtin@{width}").id
        some, near = unit_vectors(queries[:, :width]), unit_vectors(photos[:, :width])
        parts, foretold = fitted(some, expected(near, some))
        print(f"{id}: R2 {foretold:.3f}")
        known |= {f"{id}/{name}": part.astype(np.float16) for name, part in parts.items()}
    if asked.write:
        np.savez_compressed(OUT, **known)


if __name__ == "__main__":
    main()
