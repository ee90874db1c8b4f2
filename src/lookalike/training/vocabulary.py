"""The text tower's sub-words: a byte-level BPE trained on our own texts, ready to ship as `tokenizer.json`.

Everything a query needs is inside the file: one spelling (`normalising`), opening and closing tokens, cutting and
filling to the tower's context. Byte level means that no input is unknown. Chinese and Japanese have no spaces to learn
words between: runs of their characters are cut by fours, or one sub-word would be half a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from lookalike.training.normalising import one_spelling

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

PAD, OPEN, CLOSE = "<pad>", "<s>", "</s>"
_TEXTS_AT_ONCE = 20_000  # an encoded text takes kilobytes until its numbers are taken out
_RARE = 2  # a pair seen less often is not merged
_WITHOUT_SPACES = r"[\u3040-\u30ff\u3400-\u9fff]{1,4}"  # kana and Han


def train_tokeniser(texts: Iterable[str], size: int, context: int) -> str:
    """The text of a `tokenizer.json` with at most `size` sub-words, rows of `context` tokens, 0 = filling."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = one_spelling()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WITHOUT_SPACES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=_RARE,
        special_tokens=[PAD, OPEN, CLOSE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{OPEN} $A {CLOSE}", special_tokens=[(OPEN, 1), (CLOSE, 2)]
    )
    tokenizer.enable_truncation(context)
    tokenizer.enable_padding(pad_id=0, pad_token=PAD, length=context)
    return str(tokenizer.to_str(pretty=False))


def open_for_training(tokeniser: str) -> Tokenizer:
    """The tokeniser without filling: training fills a batch only to its longest text."""
    tokenizer = Tokenizer.from_str(tokeniser)
    tokenizer.no_padding()
    return tokenizer


def rows(tokeniser: str, texts: Sequence[str]) -> NDArray[np.int64]:
    """Token ids int64 (n, context), filled with 0, as the exported encoder feeds its text tower."""
    tokenizer = Tokenizer.from_str(tokeniser)
    parts = []
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        part = tokenizer.encode_batch(list(texts[start : start + _TEXTS_AT_ONCE]))
        parts.append(np.array([row.ids for row in part], np.int64))
    return np.concatenate(parts)
