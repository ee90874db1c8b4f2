"""Prints open_clip's own token ids (JSON) of the texts (JSON) on standard input.

A process of its own: open_clip's tokeniser imports torch, which never shares a process with FAISS. Only its module
`tokenizer` is loaded: the package's other modules want torchvision.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path


def main() -> None:
    package = importlib.util.find_spec("open_clip")
    spec = importlib.util.spec_from_file_location("tokenizer", Path(package.origin).with_name("tokenizer.py"))
    tokenizer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tokenizer)
    texts = json.load(sys.stdin)
    cleaned = {name: [tokenizer.get_clean_fn(name)(text) for text in texts] for name in ("whitespace", "canonicalize")}
    json.dump({"ids": tokenizer.tokenize(texts).tolist(), "cleaned": cleaned}, sys.stdout)


if __name__ == "__main__":
    main()
