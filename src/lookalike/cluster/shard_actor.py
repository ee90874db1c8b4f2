"""What runs on a machine of a cluster: one encoder, its decoding processes, and shards one after another.

It is sent there by name, so lookalike has to be installed there in the same version. What it cannot do it says in a
`Refusal`: errors of ours do not travel as they are. Ray is met only to ask where this is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.errors import LookalikeError
from lookalike.engine.shard_encoding import ShardEncoder
from lookalike.engine.sources import place_of

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.engine.reports import ShardReport
    from lookalike.engine.shard_encoding import ShardJob, ShardTask


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a worker on a node cannot encode."""

    node: str
    reason: str
    hint: str = ""


class ShardActor:
    """Becomes a Ray actor in `ray_workers`. `cores`: threads of the encoder, and decoding processes."""

    def __init__(self, encoder_id: str, task: ShardTask, cores: int, device: str, models_dir: Path | None) -> None:
        self._encoder_id = encoder_id
        self._task = task
        self._cores = cores
        self._device = device
        self._models_dir = models_dir
        self._encoding: ShardEncoder | None = None

    def ready(self, version: str) -> Refusal | None:
        """Load the encoder, and see whether the pictures are here. None when all is well. `version`: the driver's."""
        from lookalike import __version__
        from lookalike.encoders.load import load_encoder_by_id

        if version != __version__:
            return Refusal(_node(), f"it has lookalike {__version__}, not {version}", "workers need the same lookalike")
        missing = [place for root in self._task.roots.values() if not _is_here(place := place_of(root))]
        if missing:
            return Refusal(_node(), f"{os.fsdecode(missing[0] or b'')} is not there", "workers need the same paths")
        try:
            encoder = load_encoder_by_id(
                self._encoder_id, device=self._device, threads=self._cores, models_dir=self._models_dir
            )
        except LookalikeError as error:
            return Refusal(_node(), str(error), error.hint)
        self._encoding = ShardEncoder(encoder, self._task, self._cores)
        return None

    def encode(self, job: ShardJob) -> ShardReport | Refusal:
        """Encode and write one shard."""
        assert self._encoding is not None, "it was asked whether it is ready"
        try:
            report = self._encoding.encode(job, _node())
        except LookalikeError as error:
            return Refusal(_node(), str(error), error.hint)
        except OSError as error:
            return Refusal(_node(), f"the shard cannot be written to {self._task.folder.address}: {error}")
        assert report is not None, "nobody stops it but by ending the process"
        return report


def _is_here(place: bytes | None) -> bool:
    return place is None or os.path.lexists(place)


def _node() -> str:
    import ray

    node: str = ray.get_runtime_context().get_node_id()
    return node
