"""The command line as a user meets it: real processes, real files, no shortcuts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMAND = (sys.executable, "-m", "lookalike")
TIMEOUT_S = 300
"""Far more than any step takes; a hang must fail, not wait."""


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it wrote, as bytes."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def said(self) -> str:
        return self.err.decode()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of the processes: a collection of the test's own, and no way to any proxy."""
    given = dict(os.environ)
    given["LOOKALIKE_COLLECTION"] = str(tmp_path / "journey.lookalike")
    given |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return given


@pytest.fixture
def lookalike(environment: dict[str, str]) -> Callable[..., Ended]:
    """Run `lookalike` with arguments in a process of its own."""

    def run(*arguments: object, given: bytes = b"", **more: str) -> Ended:
        ended = subprocess.run(
            [*COMMAND, *(os.fspath(each) if isinstance(each, os.PathLike) else str(each) for each in arguments)],
            input=given,
            capture_output=True,
            env=environment | more,
            timeout=TIMEOUT_S,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture(scope="module")
def browser():
    """Chromium, without a window."""
    from playwright.sync_api import expect, sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "these tests need Chromium on the PATH; Debian: apt-get install chromium"
    expect.set_options(timeout=1000 * TIMEOUT_S)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, timeout=1000 * TIMEOUT_S) as opened,
    ):
        yield opened
