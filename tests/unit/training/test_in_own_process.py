"""The tests of the training room pass, in a process that never imports FAISS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOM = Path(__file__).parent


def test_the_training_room_passes_in_a_process_of_its_own():
    """Skipped where the extra `train` is not installed."""
    pytest.importorskip("tokenizers")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOM)]
    done = subprocess.run(
        command, env=os.environ | {"LOOKALIKE_TRAINING_TESTS": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
