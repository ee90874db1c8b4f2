"""`import lookalike` and `lookalike --help` load nothing heavy, and the core never loads torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "PIL", "faiss", "onnxruntime", "rich", "tokenizers", "huggingface_hub", "simsimd", "sqlite3")


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after `code`."""
    program = f"{code}\nimport sys\nsys.stderr.write(' '.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in ended.stderr.split()}


@pytest.mark.parametrize(
    "code",
    [
        "import lookalike",
        "from lookalike.cli.main import main; main(['--help'])",
        "from lookalike.cli.main import main; main([])",
        "from lookalike.cli.main import main; main(['--version'])",
        "from lookalike.cli.main import main; main(['search', '-h'])",
    ],
)
def test_nothing_heavy_is_loaded(code):
    assert loaded_after(code).isdisjoint(HEAVY)


def test_a_search_loads_no_torch_and_no_rich(tmp_path, collection):
    code = f"import lookalike; lookalike.open({str(collection.path)!r}).status(); import lookalike.engine.search"
    assert loaded_after(code).isdisjoint({"torch", "rich", "click"})


def test_no_module_outside_training_loads_torch():
    code = """
import importlib, pkgutil, lookalike
for module in pkgutil.walk_packages(lookalike.__path__, "lookalike."):
    if not module.name.startswith("lookalike.training") and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
    assert "torch" not in loaded_after(code)
