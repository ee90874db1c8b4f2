"""Sizes, words and imports that every file of the house keeps to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
CODE = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "tools").rglob("*.py"))]
TEXTS = [*CODE, *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "Makefile"]
FILE_LINES, FUNCTION_LINES = 400, 60


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_files_and_functions_fit(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= FILE_LINES
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [each.name for each in functions if each.end_lineno - each.lineno >= FUNCTION_LINES] == []


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_nothing_prints_or_exits_outside_the_command_line(path):
    if relative(path).startswith(("src/lookalike/cli/", "src/lookalike/training/", "src/lookalike/__main__")):
        return
    text = path.read_text(encoding="utf-8")
    calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    assert not {"print", "sys.exit", "exit", "quit"} & set(calls)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_the_environment_is_read_in_one_place(path):
    """But for Ray, which takes some of its settings from nowhere else."""
    if relative(path) not in {"src/lookalike/cli/settings.py", "src/lookalike/cluster/ray_environment.py"}:
        assert not re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))


def test_modules_are_named_after_what_they_hold():
    assert [relative(path) for path in SOURCES if re.search(r"util|helper|manager|misc|common", path.stem)] == []


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_nothing_is_left_to_be_done(path):
    unfinished = "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error", "lorem" + " ipsum"])
    assert not re.search(rf"\b({unfinished})\b", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_no_text_names_a_place_of_one_machine(path):
    assert not re.search(
        "(?<![a-z0-9.])/(root|work|Users|mnt/c)/|/home/(?!me\\b)[a-z]", path.read_text(encoding="utf-8")
    )


def test_which_room_imports_which_is_kept():
    import subprocess
    import sys

    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
