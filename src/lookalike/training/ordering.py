"""Components in order of weight: the first 64 or 128 of a vector then serve alone (as in Matryoshka embeddings).

Both towers end in a linear layer, so turning their common space costs nothing and changes no cosine of whole vectors.
It is turned to its principal axes (uncentred, of pictures and texts together: cosines are measured from the origin), so
that the first components hold most of every vector. With builtin-1, 128 of 256 components lost nothing of hit@10 and
64 lost 1 %; without turning 5 and 25 %. Nothing is trained for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from lookalike.core.arrays import Vectors
    from lookalike.training.towers import ImageTower, TextTower


def order_components(image: ImageTower, text: TextTower, pictures: Vectors, texts: Vectors) -> None:
    """Turn the space of both towers, in place. `pictures`, `texts`: their vectors of training material, (n, dim)."""
    moments = sum(rows.T.astype(np.float64) @ rows / len(rows) for rows in (pictures, texts))
    axes = np.linalg.eigh(moments)[1][:, ::-1].T  # rows: axes, the one that holds most first
    for layer in (image.project, text.project):
        turn = torch.from_numpy(np.ascontiguousarray(axes))
        with torch.no_grad():
            layer.weight.copy_(turn @ layer.weight.double())
            if layer.bias is not None:
                layer.bias.copy_(turn @ layer.bias.double())
