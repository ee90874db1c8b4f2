"""The measurements are scripts beside one another: their folder is put where imports find it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tools" / "bench"))
