"""Writes what YouTokenToMe, ruCLIP's tokeniser, makes of 1,000 Russian captions and of odd texts, for the tests.

    python tools/make_subword_reference.py

It needs youtokentome, which has no wheels: pip install cython setuptools, then pip install --no-build-isolation
youtokentome. The vocabulary is trained on captions that are not among the 1,000.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import youtokentome

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "tests" / "unit" / "training" / "exporters" / "youtokentome"
CAPTIONS, VOCABULARY = 1000, 1500
ODD = [
    *("", " ", "\t \n", "\u2581", "кошка", " Кошка  и\tсобака\n", "ЁЖИК В ТУМАНЕ", "a\u2581b \u2581\u2581 в"),
    *("日本語 и кот", "😀😀 кот 😀", "<EOS> <bos>", "İstanbul", "и\u0306", "аааааааааааа", "ќот ї є ґ"),
    *("\u00a0кот\u2003пёс", "кот\u200bпёс", "кот\x0bпёс\x0cлев\x85тигр\x1cрысь", "красно-белый, 2 шт. (новый!)"),
    *("x" * 300, "слово " * 100),
]


def main() -> None:
    lines = (ROOT / "src/lookalike/training/data/captions.tsv").read_text(encoding="utf-8").splitlines()
    captions = [line.split("\t")[1] for line in lines if line.count("\t") and line.split("\t")[1]]
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        text = Path(work) / "lines.txt"
        text.write_text("\n".join(line.lower() for line in captions[CAPTIONS:]), encoding="utf-8")
        youtokentome.BPE.train(
            str(text), str(TARGET / "bpe.model"), vocab_size=VOCABULARY, coverage=0.9995, n_threads=1
        )
    reference = youtokentome.BPE(str(TARGET / "bpe.model"))

    def ids(texts: list[str]) -> list[list[int]]:
        return reference.encode([text.lower() for text in texts], output_type=youtokentome.OutputType.ID)

    found = {"odd": list(zip(ODD, ids(ODD), strict=True)), "captions": ids(captions[:CAPTIONS])}
    content = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    (TARGET / "ids.json").write_text(content + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
