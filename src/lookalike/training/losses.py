"""The parts of the loss. All take unit vectors (n, dim) and give a scalar.

The contrast is CLIP's (Radford et al. 2021) with several right answers: texts of one photo, or names of one class, are
right for one another, and pairs whose texts say nearly the same are not taken for wrong.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_NEVER = -1e4  # a logit that softmax turns to 0


def right_pairs(keys: Tensor) -> Tensor:
    """float32 (n, n), 1 where two rows have the same key."""
    return (keys[:, None] == keys[None]).float()


def too_alike(sentences: Tensor, right: Tensor, above: float) -> Tensor:
    """Bool (n, n): pairs that are not known to be right, but whose texts are nearly the same."""
    return (sentences @ sentences.T > above) & (right == 0)


def contrast(pictures: Tensor, texts: Tensor, scale: Tensor, right: Tensor, ignored: Tensor) -> Tensor:
    """Symmetric cross-entropy of pictures against texts; the right answers of a row share its target evenly."""
    logits = (scale * pictures @ texts.T).masked_fill(ignored, _NEVER)
    target = right / right.sum(1, keepdim=True)
    to_texts = (target * logits.log_softmax(1)).sum(1).mean()
    to_pictures = (target * logits.T.log_softmax(1)).sum(1).mean()
    return -(to_texts + to_pictures) / 2


def masked_mean(values: Tensor, present: Tensor) -> Tensor:
    """Mean of `values` (n,) where `present`; 0 when nowhere."""
    weight = present.to(values.dtype)
    return (values * weight).sum() / weight.sum().clamp(min=1)


def away(vectors: Tensor, targets: Tensor) -> Tensor:
    """1 - cosine, (n,)."""
    return 1 - functional.cosine_similarity(vectors, targets, dim=-1)


def spread_difference(pictures: Tensor, targets: Tensor, bank: Tensor, scale: float) -> Tensor:
    """Kullback-Leibler divergence (n,) between how the targets and the pictures spread over the texts of `bank`."""
    with torch.no_grad():
        wanted = (scale * targets @ bank.T).softmax(1)
    given = (scale * pictures @ bank.T).log_softmax(1)
    return (wanted * (wanted.clamp(min=1e-8).log() - given)).sum(1)


def concept_loss(pictures: Tensor, concepts: Tensor, vectors: Tensor, scale: float, smoothing: float) -> Tensor:
    """Cross-entropy of labelled pictures over all concepts; `concepts` (n,) is -1 where a picture has no label."""
    labelled = concepts >= 0
    if not bool(labelled.any()):
        return pictures.new_zeros(())
    logits = scale * pictures[labelled] @ vectors.T
    return functional.cross_entropy(logits, concepts[labelled], label_smoothing=smoothing)


def banked_contrast(
    pictures: Tensor,
    texts: Tensor,
    bank: Tensor,
    scale: Tensor,
    *,
    right: Tensor,
    worded: Tensor,
    alike: Tensor,
    bank_alike: Tensor,
) -> Tensor:
    """`contrast` with more texts to choose from, and pictures that have none.

    `bank` (m, dim): texts of other pictures, right for none of these. `worded`: bool (n,), which pictures have a text;
    the others are only something that the texts do not speak of. `alike` (n, n), `bank_alike` (n, m): not taken for
    wrong.
    """
    logits = scale * pictures @ torch.cat([texts, bank]).T
    missing = ~worded[None] & (right == 0)
    logits = logits.masked_fill(torch.cat([alike | missing, bank_alike], 1), _NEVER)
    target = right / right.sum(1, keepdim=True)
    to_texts = (target * logits.log_softmax(1)[:, : len(texts)]).sum(1)
    back = (scale * texts @ pictures.T).masked_fill(alike, _NEVER)
    to_pictures = (target * back.log_softmax(1)).sum(1)
    return -masked_mean(to_texts + to_pictures, worded) / 2


def own_meaning(vectors: Tensor, targets: Tensor, scale: Tensor, same: float, alike: float) -> Tensor:
    """Cross-entropy of texts finding their meaning among those of the batch.

    Targets nearer than the cosine `same` are one meaning; those nearer than `alike` are not taken for wrong.
    """
    nearness = targets @ targets.T
    right = (nearness > same).float()
    logits = (scale * vectors @ targets.T).masked_fill((nearness > alike) & (right == 0), _NEVER)
    return -(right / right.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()


def own_photo(texts: Tensor, pictures: Tensor, bank: Tensor, scale: Tensor, ignored: Tensor) -> Tensor:
    """Cross-entropy of texts finding their photo (same row of `pictures`) among those of the batch and a bank.

    `ignored`: bool (n, n), other pairs that may be right too.
    """
    own = torch.eye(len(texts), dtype=torch.bool, device=texts.device)
    never = torch.cat([ignored & ~own, ignored.new_zeros(len(texts), len(bank))], 1)
    logits = (scale * texts @ torch.cat([pictures, bank]).T).masked_fill(never, _NEVER)
    return functional.cross_entropy(logits, torch.arange(len(texts), device=texts.device))
