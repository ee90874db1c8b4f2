"""From words to the token rows a text tower eats, by the rules of the tower's family.

A tower understands only tokens made as in its training, and families differ where it hurts: SigLIP must be padded
to 64 always and lower-cased, or it answers at random (open_clip issue 1118, transformers issue 26522); CLIP pads to
77 with 0; NLLB wants the language's own token first (immich pull request 13567). The tokeniser itself is the model's
`tokenizer.json`, run by the `tokenizers` library. `read_rules` finds the family in the model's `config.json`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.clean import CLEANINGS, Cleaning, clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_CLIP_LENGTH = 77  # tokens; open_clip's default for every family that does not say otherwise
_SIGLIP_LENGTH = 64  # tokens; of all SigLIP and SigLIP 2 text towers


@dataclass(frozen=True, slots=True)
class TextRules:
    """How one text tower wants its tokens.

    `length`: tokens in a row, special ones counted; shorter texts are filled with `pad_id` (None: whatever the
    tokeniser's files name), longer ones cut so that the closing token stays. `language`: NLLB's rule is in force,
    the first token is the language's.
    """

    cleaning: Cleaning = "none"
    length: int = _CLIP_LENGTH
    pad_id: int | None = None
    language: bool = False


def read_rules(config: Mapping[str, Any]) -> TextRules:
    """The rules behind a model's `config.json` (open_clip's keys), given as its values.

    Own keys of `text_cfg` come first: `clean` (none, whitespace, lower, canonicalize), `context_length`, `pad_id`.
    Then the family is told by the tokeniser's name, as open_clip does. Raises EncoderBroken for an unknown cleaning.
    """
    text = dict(config.get("text_cfg") or {})
    name = str(text.get("hf_tokenizer_name") or text.get("hf_model_name") or "").lower()
    cleaning = text.get("clean") or (text.get("tokenizer_kwargs") or {}).get("clean")
    siglip = "siglip" in name
    if cleaning is None:
        cleaning = "canonicalize" if siglip else "whitespace" if name else "lower"
    if cleaning not in CLEANINGS:
        raise EncoderBroken(f'config.json asks for the text cleaning "{cleaning}", which is not known here')
    length = int(text.get("context_length") or (_SIGLIP_LENGTH if siglip else _CLIP_LENGTH))
    pad_id = text.get("pad_id")
    if pad_id is None and not name:
        pad_id = 0  # CLIP's own tokeniser has no padding token: open_clip fills with 0
    return TextRules(cast("Cleaning", cleaning), length, pad_id, language="nllb" in name)


class Tokeniser:
    """A model's own tokeniser under the rules of its family. Thread-safe: rows depend on the text alone."""

    def __init__(self, tokenizer: Tokenizer, rules: TextRules, pad_id: int) -> None:
        self._tokenizer = tokenizer
        self._rules = rules
        tokenizer.encode_special_tokens = True  # "<|endoftext|>" in a query is text, as in open_clip
        tokenizer.enable_truncation(rules.length)
        tokenizer.enable_padding(length=rules.length, pad_id=pad_id)

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Token ids and attention mask (1 = token, 0 = filling), both int64 (n, length)."""
        import numpy as np

        cleaned = [clean(text, self._rules.cleaning) for text in texts]
        rows = self._tokenizer.encode_batch(cleaned)
        ids = np.array([row.ids for row in rows], np.int64).reshape(len(texts), self._rules.length)
        mask = np.array([row.attention_mask for row in rows], np.int64).reshape(ids.shape)
        if self._rules.language:
            ids[:, 0] = [self._language_id(text) for text in cleaned]
        return ids, mask

    def _language_id(self, text: str) -> int:
        token = language_token(text)
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise EncoderBroken(f"tokenizer.json has no token {token}, which NLLB's rule needs")
        return found


def open_tokeniser(folder: Path, rules: TextRules) -> Tokeniser:
    """The tokeniser of a `textual` folder (`tokenizer.json`, and `tokenizer_config.json` where there is one).

    Raises EncoderBroken when the file cannot be read as a tokeniser.
    """
    from tokenizers import Tokenizer as HubTokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = HubTokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the library raises bare Exception for every kind of damage
        raise EncoderBroken(f"{path} is not a tokeniser: {error}", hint="copy or download the encoder again") from error
    pad_id = rules.pad_id if rules.pad_id is not None else _declared_pad(tokenizer, folder)
    return Tokeniser(tokenizer, rules, pad_id)


def _declared_pad(tokenizer: Tokenizer, folder: Path) -> int:
    """The filling token that the tokeniser's own files name: its padding section, its settings, or a usual name."""
    import json

    if tokenizer.padding is not None:
        return int(tokenizer.padding["pad_id"])
    names = ["<pad>", "[PAD]"]
    settings = folder / "tokenizer_config.json"
    if settings.is_file():
        try:
            declared = json.loads(settings.read_text(encoding="utf-8")).get("pad_token")
        except ValueError as error:
            raise EncoderBroken(f"{settings} is not JSON: {error}") from error
        names.insert(0, declared["content"] if isinstance(declared, dict) else str(declared))
    ids = (tokenizer.token_to_id(name) for name in names)
    return next((id for id in ids if id is not None), 0)


_FLORES = {
    "CYRILLIC": "rus_Cyrl",
    "GREEK": "ell_Grek",
    "ARMENIAN": "hye_Armn",
    "HEBREW": "heb_Hebr",
    "ARABIC": "arb_Arab",
    "DEVANAGARI": "hin_Deva",
    "BENGALI": "ben_Beng",
    "TAMIL": "tam_Taml",
    "TELUGU": "tel_Telu",
    "THAI": "tha_Thai",
    "GEORGIAN": "kat_Geor",
    "HANGUL": "kor_Hang",
    "HIRAGANA": "jpn_Jpan",
    "KATAKANA": "jpn_Jpan",
    "CJK": "zho_Hans",
}
_LETTERS = {
    "bel_Cyrl": "ў",  # before Ukrainian: both write і
    "ukr_Cyrl": "іїєґ",
    "pes_Arab": "پچژگ",
    "deu_Latn": "ß",
    "pol_Latn": "łśźż",
    "tur_Latn": "ğı",
}
"""Letters that tell a language from its neighbours of the same script."""


def language_token(text: str) -> str:
    """NLLB's token for the language of `text`, guessed from its letters: script first, then telling letters.

    Latin script without telling letters is taken for English, which is also the tokeniser's fixed default.
    """
    letters = [letter for letter in text.lower() if letter.isalpha()]
    for language, telling in _LETTERS.items():
        if any(letter in telling for letter in letters):
            return language
    scripts = Counter(unicodedata.name(letter, "LATIN").split()[0] for letter in letters)
    if scripts["HIRAGANA"] or scripts["KATAKANA"]:
        return "jpn_Jpan"
    return _FLORES.get(scripts.most_common(1)[0][0], "eng_Latn") if scripts else "eng_Latn"
