"""Numbers from files of weights, and nothing else: no code that such a file may carry is run."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING, Any

import torch

from lookalike.core.errors import EncoderBroken, MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


_LONGEST = 250  # letters of another library's error


def read_weights(path: Path) -> dict[str, Tensor]:
    """Weights by name, of a file that torch.save wrote (a state dict) or of .safetensors.

    Raises EncoderBroken, MissingExtra for .safetensors where that library is not installed.
    """
    try:
        read: Any = _safetensors(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except MissingExtra:
        raise
    except Exception as error:  # torch raises of every kind; a file with code in it is an UnpicklingError
        raise EncoderBroken(f"{path} cannot be read as weights: {brief(error)}") from error
    if not isinstance(read, dict) or not all(isinstance(each, torch.Tensor) for each in read.values()):
        raise EncoderBroken(f"{path} does not hold weights by name")
    return read


def brief(error: Exception) -> str:
    """An error of another library on one line."""
    return shorten(str(error) or type(error).__name__, _LONGEST, placeholder=" ...")


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingExtra("reading .safetensors", "export") from error
    weights: dict[str, Tensor] = load_file(path)
    return weights
