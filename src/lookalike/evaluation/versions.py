"""What a figure was made with, for whoever wants the same again."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("lookalike", "numpy", "onnxruntime", "pillow", "tokenizers")
"""Those whose other versions may give other figures: decoding, resizing, tokens, arithmetic."""


def versions() -> dict[str, str]:
    """Python, machine and the version of every package that figures depend on; "" for one that is not installed."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found
