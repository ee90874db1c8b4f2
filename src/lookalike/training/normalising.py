"""One spelling for what people type in many ways: the first thing that happens to a text, inside `tokenizer.json`.

Unicode NFKC, lower case, "_" read as a space, stress marks of Russian dropped, every apostrophe the same, "ё" as "е",
and a Latin letter beside a Cyrillic one that looks like it taken for the Cyrillic one: a slip of the keyboard or of a
reading machine. All of it is rules of the `tokenizers` library, so the file does at a query what it did in training.
"""

from __future__ import annotations

from tokenizers import Regex, normalizers

_STRESS = "[\u0300\u0301]"  # grave and acute, left over after NFKC where no letter of its own exists: а́
_APOSTROPHES = "[\u2018\u2019\u02bc\u0060\u00b4\u2032\uff07]"
_CYRILLIC = "[\u0400-\u04ff]"
_LOOK_ALIKES = {
    "a": "а",
    "b": "в",
    "c": "с",
    "e": "е",
    "h": "н",
    "i": "і",
    "k": "к",
    "m": "м",
    "o": "о",
    "p": "р",
    "t": "т",
    "x": "х",
    "y": "у",
}
"""Latin to Cyrillic, in lower case."""
_PASSES = 2  # over the look-alikes: a letter made Cyrillic makes its neighbours Cyrillic in the next


def one_spelling() -> normalizers.Normalizer:
    """The rules, in order."""
    look_alikes = [
        normalizers.Replace(Regex(f"(?<={_CYRILLIC}){latin}|{latin}(?={_CYRILLIC})"), cyrillic)
        for latin, cyrillic in _LOOK_ALIKES.items()
    ]
    return normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace("_", " "),
            normalizers.Replace(Regex(_STRESS), ""),
            normalizers.Replace(Regex(_APOSTROPHES), "'"),
            normalizers.Replace("ё", "е"),
            *look_alikes * _PASSES,
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
