"""ruCLIP's vocabulary, a model of YouTokenToMe, as a `tokenizer.json` that gives the same ids.

The file is text: the number of characters and of merges; a line each, "code point, id"; a line each, "left, right, what
they become"; the ids of unknown, filling, opening and closing tokens (VKCOM/YouTokenToMe `youtokentome/cpp/utils.cpp`,
`BPEState`). What its encoder does (`bpe.cpp`, `encode_sentence`): words are what stands between ASCII white space or
U+2581, each begins with U+2581, unknown characters that stand together are one unknown token, the merge that was
learned first goes first, from left to right. Before it, ruCLIP makes small letters; the one difference known is Greek,
whose final sigma Python finds by its place and `tokenizers` do not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.errors import EncoderBroken

if TYPE_CHECKING:
    from pathlib import Path

_BEFORE_WORDS = "\u2581"
_SPACES = r"[\t\n\x0b\f\r \u2581]"


@dataclass(frozen=True, slots=True)
class Subwords:
    """A model of YouTokenToMe. `pieces`: characters and what merges make, by id. `merges`: pairs of ids, in order."""

    pieces: dict[int, str]
    merges: list[tuple[int, int]]
    unknown: int
    filling: int
    opening: int
    closing: int


def read_subwords(path: Path) -> Subwords:
    """The model in a file such as ruCLIP's bpe.model. Raises EncoderBroken."""
    try:
        numbers = [int(number) for number in path.read_text(encoding="ascii").split()]
        characters, merges = numbers[:2]
        ends = 2 + 2 * characters, 2 + 2 * characters + 3 * merges
        unknown, filling, opening, closing = numbers[ends[1] :]
        pieces = {id: chr(code) for code, id in _groups(numbers[2 : ends[0]], 2)}
        pairs = []
        for left, right, made in _groups(numbers[ends[0] : ends[1]], 3):
            pieces[made] = pieces[left] + pieces[right]
            pairs.append((left, right))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise EncoderBroken(f"{path} is not a vocabulary of YouTokenToMe: {error}") from error
    if len(set(pieces.values())) != len(pieces) or len(pieces) != characters + merges:
        raise EncoderBroken(f"{path} has two ids for the same letters, which tokenizer.json cannot say")
    return Subwords(pieces, pairs, unknown, filling, opening, closing)


def tokeniser_json(subwords: Subwords) -> str:
    """The text of a `tokenizer.json`: small letters, merges, an opening and a closing token around."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    special = _special_names(subwords)
    ids = {piece: id for id, piece in subwords.pieces.items()} | special
    merges = [(subwords.pieces[left], subwords.pieces[right]) for left, right in subwords.merges]
    unknown, opening, closing = (
        next(name for name, id in special.items() if id == wanted)
        for wanted in (subwords.unknown, subwords.opening, subwords.closing)
    )
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token=unknown, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Lowercase(),
            normalizers.Replace(Regex(f"^{_SPACES}+|{_SPACES}+$"), ""),
            normalizers.Replace(Regex(f"{_SPACES}+"), _BEFORE_WORDS),
            normalizers.Prepend(_BEFORE_WORDS),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(_BEFORE_WORDS, behavior="merged_with_next")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{opening} $0 {closing}",
        special_tokens=[(opening, subwords.opening), (closing, subwords.closing)],
    )
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False)


def _special_names(subwords: Subwords) -> dict[str, int]:
    """Names for the special ids. In capitals, which no piece has: text is made small, so a query cannot spell them."""
    return {
        "<PAD>": subwords.filling,
        "<UNK>": subwords.unknown,
        "<BOS>": subwords.opening,
        "<EOS>": subwords.closing,
    }


def _groups(numbers: list[int], size: int) -> list[tuple[int, ...]]:
    return list(zip(*(numbers[first::size] for first in range(size)), strict=True))
