"""What every test stands on: no network beyond this machine, a user's folders of its own, small drawn pictures.

Warnings are errors and hosts beyond loopback are refused: both are set in `pyproject.toml`.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import lookalike
from lookalike.testing import ToyEncoder, draw_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before FAISS loads: threads that wait must not spin
settings.register_profile(  # the same examples in every run, on machines of any speed
    "any machine", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
DRAWN = 24
"""Each of the eight colours with each of the three shapes once."""


@pytest.fixture(scope="session", autouse=True)
def user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of our own for the whole session, inherited by child processes: no test ever sees the user's data."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "USERPROFILE"):
            patch.setenv(name, str(home))
        for name, folder in {
            "XDG_DATA_HOME": "data",
            "XDG_CACHE_HOME": "cache",
            "XDG_CONFIG_HOME": "config",
            "WIN_PD_OVERRIDE_LOCAL_APPDATA": "data",
        }.items():
            patch.setenv(name, str(home / folder))
        patch.delenv("LOOKALIKE_COLLECTION", raising=False)
        yield home


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 24 drawn pictures, shared by the session: read it, never change it."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_pictures(folder, DRAWN)
    return folder


@pytest.fixture
def pictures(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the 24 drawn pictures that the test may change."""
    return shutil.copytree(drawn, tmp_path / "pictures")


@pytest.fixture
def toy() -> ToyEncoder:
    """The encoder that knows colours and shapes."""
    return ToyEncoder()


@pytest.fixture
def collection(pictures: Path, toy: ToyEncoder, tmp_path: Path) -> Iterator[lookalike.Collection]:
    """An open collection that holds `pictures`, made with `toy`."""
    with lookalike.open(tmp_path / "test.lookalike", encoder=toy) as opened:
        for _ in opened.sync([pictures]):
            pass
        yield opened


@pytest.fixture(scope="session")
def colour_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real ONNX encoder that finds drawn pictures by the name of their colour."""
    from colour_encoder import write_colour_encoder

    return write_colour_encoder(tmp_path_factory.mktemp("encoder") / "colours")
