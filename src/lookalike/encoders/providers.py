"""Which ONNX Runtime execution provider runs a tower, and the session options that all towers share.

A device that was asked for and is not there is said aloud through `notice`, never silently replaced: results are the
same on the CPU, only later. Measured choices stand beside their options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEVICES = ("auto", "cpu", "cuda", "coreml", "directml")

CPU = "CPUExecutionProvider"

_PROVIDERS = {"cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider", "directml": "DmlExecutionProvider"}
_AUTOMATIC = ("cuda", "directml")  # CoreML computes in half precision and rejects many towers: only when asked for
_ERRORS_ONLY = 3  # ONNX Runtime's log severity: its warnings about devices go to stderr and are ours to say


def choose_provider(device: str, notice: Callable[[str], None]) -> str:
    """The execution provider for `device`; the CPU, said through `notice`, where the one asked for is absent.

    Raises ValueError for a device that is not in DEVICES.
    """
    import onnxruntime

    if device not in DEVICES:
        raise ValueError(f'device "{device}" is not one of {", ".join(DEVICES)}')
    available = onnxruntime.get_available_providers()
    if device == "auto":
        return next((_PROVIDERS[one] for one in _AUTOMATIC if _PROVIDERS[one] in available), CPU)
    wanted = _PROVIDERS.get(device, CPU)
    if wanted in available:
        return wanted
    notice(f"{device} is not available in the installed ONNX Runtime; using the CPU")
    return CPU


def open_session(path: Path, provider: str, threads: int, notice: Callable[[str], None]) -> Any:
    """An `onnxruntime.InferenceSession` of the model at `path`.

    `threads`: for one run on the CPU. Falls back to the CPU, said through `notice`, when the provider does not start.
    Raises EncoderBroken when the file is not a model that can be run.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
    onnxruntime.disable_telemetry_events()
    providers = [provider] if provider == CPU else [provider, CPU]
    try:
        session = onnxruntime.InferenceSession(str(path), _options(threads), providers=providers)
    except Exception as error:  # the library's own exceptions share no base class, and damage raises any of them
        raise EncoderBroken(
            f"{path} cannot be run as a model: {error}", hint="copy or download the encoder again"
        ) from error
    if session.get_providers()[0] != provider:
        notice(f"{provider} did not start; using the CPU")
    return session


def _options(threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Measured with ViT-B-32-256 in batches of 8, two cores shared with decoding: waiting threads that spin take 88 to
    # 102 ms of processor time a picture instead of 71 to 74; the arena holds 70 MB more and gains nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    return options
