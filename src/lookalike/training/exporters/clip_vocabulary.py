"""CLIP's own vocabulary in the form of a `tokenizer.json`, from the two forms that it is published in.

The rules around it (normal form C, small letters, the pieces a text falls into) are those of OpenAI's tokeniser
(openai/CLIP `clip/simple_tokenizer.py`), as the `tokenizer.json` beside the published weights says them.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

from lookalike.core.errors import EncoderBroken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OPENING, CLOSING = "<|startoftext|>", "<|endoftext|>"
_MERGES = 49152 - 256 - 2  # lines of the list that count: all of CLIP's ids but the bytes and two special ones
_PIECES = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # of a text


def from_merges_list(path: Path) -> str:
    """The tokeniser behind bpe_simple_vocab_16e6.txt.gz, as openai/CLIP and open_clip carry it."""
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    merges = [_pair(line) for line in lines[1 : _MERGES + 1]]
    letters = _letters_of_bytes()
    pieces = [*letters, *(letter + "</w>" for letter in letters), *(left + right for left, right in merges)]
    return _tokeniser({piece: id for id, piece in enumerate([*pieces, OPENING, CLOSING])}, merges)


def from_folder(folder: Path) -> str:
    """The tokeniser in a folder that transformers wrote: its tokenizer.json, else vocab.json and merges.txt.

    Raises EncoderBroken.
    """
    try:
        if (folder / "tokenizer.json").is_file():
            return (folder / "tokenizer.json").read_text(encoding="utf-8")
        ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
        return _tokeniser(ids, [_pair(line) for line in lines if line and not line.startswith("#version")])
    except (OSError, ValueError, KeyError) as error:
        raise EncoderBroken(f"{folder} holds no vocabulary of CLIP: {error}") from error


def _pair(line: str) -> tuple[str, str]:
    left, right = line.split()
    return left, right


def _tokeniser(ids: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> str:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.BPE(dict(ids), list(merges), unk_token=CLOSING, end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.post_processor = processors.RobertaProcessing(
        (CLOSING, ids[CLOSING]), (OPENING, ids[OPENING]), trim_offsets=False, add_prefix_space=False
    )
    tokenizer.add_special_tokens([OPENING, CLOSING])
    return str(tokenizer.to_str())


def _letters_of_bytes() -> list[str]:
    """The letters that stand for the 256 bytes, in the order of their ids."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = 256 - len(printable)
    return [chr(byte) for byte in printable] + [chr(256 + number) for number in range(others)]
