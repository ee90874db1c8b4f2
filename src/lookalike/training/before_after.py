"""What a tuning changed, to see by: the questions that gained and lost most, with their answers before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.evaluation.report import Sheet, Tile
from lookalike.evaluation.thumbnails import tile_jpeg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.evaluation.measured import Measured
    from lookalike.training.material import Material
    from lookalike.training.measuring import Questions

GAINED, LOST = 6, 3
"""Questions shown."""
ANSWERS = 6
_BY = "map@10"


def sheet_of(material: Material, questions: Questions, before: Measured, after: Measured) -> Sheet:
    """Rows of pictures: each question twice, as answered before and after."""
    gain = after.values[_BY] - before.values[_BY]
    order = np.argsort(-gain, kind="stable")
    chosen = [at for at in order[:GAINED] if gain[at] > 0] + [at for at in order[: -LOST - 1 : -1] if gain[at] < 0]
    rows = []
    for at in chosen:
        said = material.sayings[int(questions.texts[before.asked[at]])]
        for when, measured in (("before", before), ("after", after)):
            rows.append((f"{said} ({when})", _tiles(material, questions.pictures, measured, int(at))))
    return Sheet(
        "What changed most", tuple(rows), note=f"The {GAINED} questions that gained most, {LOST} that lost most."
    )


def _tiles(material: Material, pictures: NDArray[np.int64], measured: Measured, at: int) -> tuple[Tile, ...]:
    tiles = []
    for rank, row in enumerate(measured.answers[at, :ANSWERS].tolist()):
        if row >= 0:
            uri = material.uris[int(pictures[row])]
            caption = f"{measured.scores[at, rank]:.2f}"
            tiles.append(Tile(_small(uri), caption, Path(uri).name, bool(measured.gains[at, rank] > 0)))
    return tuple(tiles)


def _small(uri: str) -> bytes | None:
    try:
        return tile_jpeg(Path(uri).read_bytes())
    except OSError:  # it lies on the web, or is gone
        return None
