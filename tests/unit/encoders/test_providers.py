"""A device that was asked for and is not there is said aloud, and the vectors are the CPU's."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from lookalike.encoders.load import load_encoder
from lookalike.encoders.providers import DEVICES, choose_provider
from tiny_encoder import SIDE, write_tiny_encoder

PICTURES = list(np.random.default_rng(3).integers(0, 256, (9, SIDE, SIDE, 3), np.uint8))


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_gives_the_cpus_vectors_and_says_when_it_is_the_cpu(tmp_path, device):
    folder = write_tiny_encoder(tmp_path / "tiny")
    said = []
    on_cpu = load_encoder(str(folder), device="cpu", models_dir=tmp_path)
    encoder = load_encoder(str(folder), device=device, models_dir=tmp_path, notice=said.append)
    for _ in range(2):
        np.testing.assert_allclose(
            encoder.encode_images(PICTURES), on_cpu.encode_images(PICTURES), atol=encoder.tolerance
        )
        encoder.encode_texts(["a dog"])
    provider = {"cuda": "CUDA", "coreml": "CoreML", "directml": "Dml"}.get(device, "CPU") + "ExecutionProvider"
    if device != "auto" and provider not in onnxruntime.get_available_providers():
        assert said == [f"{device} is not available in the installed ONNX Runtime; using the CPU"]
    else:
        assert said == []


def test_a_device_nobody_knows_is_a_wrong_argument():
    with pytest.raises(ValueError, match="tpu"):
        choose_provider("tpu", lambda _: None)
