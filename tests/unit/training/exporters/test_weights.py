"""Files of weights give numbers; nothing that else stands in them is run."""

from __future__ import annotations

import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from lookalike.core.errors import EncoderBroken
from lookalike.training.exporters.weights import read_weights

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.float16)}


@pytest.mark.parametrize(("name", "write"), [("w.bin", torch.save), ("w.pt", torch.save), ("w.safetensors", save_file)])
def test_weights_are_read_by_name(name, write, tmp_path):
    write(WEIGHTS, tmp_path / name)
    found = read_weights(tmp_path / name)
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[each], WEIGHTS[each]) for each in WEIGHTS)


class Mischief:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_a_file_with_code_in_it_is_refused_and_the_code_is_not_run(write, tmp_path):
    write({"a": Mischief(tmp_path / "made")}, tmp_path / "w.bin")
    with pytest.raises(EncoderBroken, match=r"w\.bin cannot be read as weights"):
        read_weights(tmp_path / "w.bin")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("value", [[torch.ones(1)], {"a": 1}])
def test_what_holds_no_weights_by_name_is_refused(value, tmp_path):
    torch.save(value, tmp_path / "w.bin")
    with pytest.raises(EncoderBroken, match="does not hold weights by name"):
        read_weights(tmp_path / "w.bin")


@pytest.mark.parametrize("name", ["w.bin", "w.safetensors"])
def test_damage_and_absence_are_errors_with_the_file_s_name(name, tmp_path):
    with pytest.raises(EncoderBroken, match=name):
        read_weights(tmp_path / name)
    (tmp_path / name).write_bytes(b"\x10\0\0\0\0\0\0\0{")
    with pytest.raises(EncoderBroken, match=name):
        read_weights(tmp_path / name)
