"""What Ray is told by its environment, which is the only way to say it, for as long as it is used."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALWAYS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # else each call after a lost connection looks for another Ray, for minutes
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what later versions do anyway; else each start warns of it
}
_ALONE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""At 0, Ray listens on 127.0.0.1 alone, as it does on these two systems by itself. Read when ray is imported."""
_PATIENT = {"RAY_gcs_server_port_wait_time_s": "120", "RAY_gcs_server_request_timeout_seconds": "120"}
"""Twice and more what Ray waits for its own first process: busy machines start it slowly."""
_TOKEN_BYTES = 32


@contextmanager
def ray_environment(*, alone: bool) -> Iterator[None]:
    """Usage statistics off; `alone`: a Ray of our own, for this computer and for nobody else on it.

    What the user's environment says stays as it is, and what was added goes at the end.
    """
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(_TOKEN_BYTES)}
    wanted = _ALWAYS | ({_ALONE: "0"} | _PATIENT | token if alone else {})
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
