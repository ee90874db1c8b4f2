"""Encoding shards on Ray: a pool of actors, each with an encoder and decoding processes of its own.

The driver hands out shards, at most `AHEAD` to each actor, and hears what became of them; pictures are read, and shards
written, by the actors, so neither passes through the driver or Ray's object store. An actor that dies costs the
shard it had in hand: another takes its place and the shard is begun again, at most `TRIES` times. Why not Ray Data:
docs/adr/0014-shards-on-ray.md.

Ray started here listens on this computer alone, and its usage statistics are off.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lookalike import __version__
from lookalike.cluster.ray_environment import ray_environment
from lookalike.cluster.shard_actor import Refusal, ShardActor
from lookalike.core.cores import usable_cores
from lookalike.core.errors import ClusterError, MissingExtra

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from lookalike.core.protocols import Encoder
    from lookalike.engine.reports import ShardReport
    from lookalike.engine.shard_encoding import ShardJob, ShardTask, Started

AHEAD = 2
"""Shards in the hands of one actor: the one it encodes, and the next."""
TRIES = 3
"""How often a shard is begun before its loss is taken for its own fault."""
START_TIMEOUT_S = 300.0
"""How long no actor at all may be there: a cluster that grows on demand needs minutes for a machine."""
PATIENCE_S = 0.25
"""How long a wait may overlook `stop`."""
OBJECTS_BYTES = 100_000_000
"""Ray's object store when it is our own, near the least Ray takes: lists of files are all that passes through it."""
CONNECT_TIMEOUT_S = 10.0
CLIENT = "ray://"
"""Before the address of a head that is reached from outside the cluster."""
LOCAL = "local"
"""The address of a Ray of our own on this computer, which ends with the run."""


@dataclass(frozen=True, slots=True)
class RayWorkers:
    """Workers on a Ray cluster. `address`: `LOCAL`, `ray://HEAD:10001`, or HOST:PORT of a head this machine belongs to.

    `workers`: how many actors; None for one on each core, or on each share of a GPU; `gpus` is that share. The cores of
    the cluster are divided among them. `device`, `models_dir`: as `load_encoder_by_id` takes them.
    """

    address: str = LOCAL
    workers: int | None = None
    gpus: float = 0.0
    device: str = "auto"
    models_dir: Path | None = None

    @contextmanager
    def start(self, encoder: Encoder, task: ShardTask, stop: threading.Event | None) -> Iterator[Started]:
        """Connect, and start actors. Raises ClusterError, MissingExtra."""
        with ray_environment(alone=self.address == LOCAL):
            ray = _ray()
            ours = not ray.is_initialized()
            if ours:
                self._connect(ray)
            try:
                yield from self._crew(ray, encoder.id, task, stop)
            finally:
                if ours:
                    ray.shutdown()

    def _crew(self, ray: Any, encoder_id: str, task: ShardTask, stop: threading.Event | None) -> Iterator[Started]:
        count, cores = self._room(ray.cluster_resources())
        how = {"num_cpus": cores, "num_gpus": self.gpus, "scheduling_strategy": "SPREAD", "max_restarts": 0}
        actor = ray.remote(**how)(ShardActor)
        crew = _Crew(ray, lambda: actor.remote(encoder_id, task, cores, self.device, self.models_dir), count, stop)
        try:
            yield crew
        finally:
            crew.end()

    def _connect(self, ray: Any) -> None:
        alone: dict[str, Any] = {}
        if self.address == LOCAL:
            alone = {
                "include_dashboard": False,
                "num_cpus": usable_cores(),
                "object_store_memory": OBJECTS_BYTES,
                "_node_ip_address": "127.0.0.1",
            }
        try:
            if self.address != LOCAL:  # where nobody listens, Ray itself goes on asking for minutes
                host, _, port = self.address.removeprefix(CLIENT).rpartition(":")
                socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT_S).close()
            ray.init(address=self.address, log_to_driver=False, configure_logging=False, **alone)
        except Exception as error:  # Ray's own, those of gRPC, and plain ones
            if self.address == LOCAL:
                what, hint = "Ray cannot be started here", "it waits 30 s for its first process; is the computer busy?"
            else:
                what = f"Ray at {self.address} cannot be reached"
                hint = "is it running, and of the same version of Ray and Python? ray status"
            raise ClusterError(f"{what}: {error}", hint=hint) from error

    def _room(self, resources: dict[str, float]) -> tuple[int, int]:
        """How many actors, and the cores of each."""
        cores = int(resources.get("CPU", 0))
        places = min(cores, int(resources.get("GPU", 0) / self.gpus)) if self.gpus else cores
        count = self.workers or places
        if not 0 < count <= places:
            raise ClusterError(
                f"there is no room for {count or 'any'} workers on {cores} cores and {resources.get('GPU', 0):g} GPUs",
                hint="ask for fewer: --workers, --gpus",
            )
        return count, max(1, cores // count)


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise MissingExtra("encoding on Ray", "ray") from None
    return ray


@dataclass(slots=True)
class _Worker:
    """An actor. `starting`: its first answer, None once that came. `jobs`: in its hands, by what answers them."""

    actor: Any
    starting: Any
    jobs: dict[Any, ShardJob] = field(default_factory=dict)


class _Crew:
    """The actors of a run; see `engine.shard_encoding.Started`."""

    def __init__(self, ray: Any, make: Any, count: int, stop: threading.Event | None) -> None:
        self._ray = ray
        self._make = make
        self._stop = stop
        self.count = count
        self._workers = [self._hired() for _ in range(count)]
        self._again: deque[ShardJob] = deque()
        self._tries: dict[str, int] = {}
        self._lost_at_start = 0
        self._idle_since = time.monotonic()

    def encode(self, jobs: Iterator[ShardJob]) -> Iterator[ShardReport]:
        try:
            yield from self._reports(jobs)
        except Exception as error:
            if self._ray.is_initialized() and not isinstance(error, ConnectionError):
                raise
            raise ClusterError(
                f"the connection to Ray broke: {error}", hint="give the command again: it goes on"
            ) from error

    def _reports(self, jobs: Iterator[ShardJob]) -> Iterator[ShardReport]:
        while self._stop is None or not self._stop.is_set():
            self._hand_out(jobs)
            if not any(worker.jobs for worker in self._workers) and not self._again and self._are_ready():
                return
            answers = [ref for worker in self._workers for ref in (worker.starting, *worker.jobs) if ref is not None]
            self._ray.wait(answers, num_returns=1, timeout=PATIENCE_S)
            ready, _ = self._ray.wait(answers, num_returns=len(answers), timeout=0)
            for ref in ready:
                report = self._heard(ref)
                if report is not None:
                    yield report
            self._refuse_to_wait()

    def end(self) -> None:
        """Let the actors go, whatever they are doing."""
        for worker in self._workers if self._ray.is_initialized() else ():
            with suppress(Exception):  # it may be gone, and the cluster with it
                self._ray.kill(worker.actor)

    def _hired(self) -> _Worker:
        actor = self._make()
        return _Worker(actor, actor.ready.remote(__version__))

    def _are_ready(self) -> bool:
        return any(worker.starting is None for worker in self._workers)

    def _hand_out(self, jobs: Iterator[ShardJob]) -> None:
        """A shard to each actor that is there and has fewer than `AHEAD`, first to those that have none."""
        for most in range(1, AHEAD + 1):
            for worker in self._workers:
                if worker.starting is None and len(worker.jobs) < most:
                    job = self._again.popleft() if self._again else next(jobs, None)
                    if job is None:
                        return
                    worker.jobs[worker.actor.encode.remote(job)] = job

    def _heard(self, ref: Any) -> ShardReport | None:
        """What an answer says. One that never comes costs its actor, which is replaced."""
        worker = next((each for each in self._workers if ref == each.starting or ref in each.jobs), None)
        if worker is None:  # of an actor that another answer showed to be lost
            return None
        try:
            answer = self._ray.get(ref)
        except self._ray.exceptions.RayActorError as error:
            self._replace(worker, str(error))
            return None
        except self._ray.exceptions.RayError as error:
            raise ClusterError(f"a worker failed: {error}") from error
        if isinstance(answer, Refusal):
            raise ClusterError(f"a worker on {answer.node} cannot encode: {answer.reason}", hint=answer.hint)
        if ref == worker.starting:
            worker.starting = None
            return None
        job = worker.jobs.pop(ref)
        report: ShardReport = replace(answer, tries=1 + self._tries.pop(job.name, 0))
        return report

    def _replace(self, worker: _Worker, why: str) -> None:
        """Another actor in place of a lost one; of its shards only the first was begun."""
        with suppress(Exception):  # it may only be out of reach, and would keep its place
            self._ray.kill(worker.actor)
        lost = list(worker.jobs.values())
        if not lost:
            self._lost_at_start += 1
        for job in lost[:1]:
            self._tries[job.name] = self._tries.get(job.name, 0) + 1
        if self._lost_at_start >= TRIES * self.count or any(self._tries[job.name] >= TRIES for job in lost[:1]):
            what = f"while they encoded the shard {lost[0].name}" if lost else "when they were started"
            raise ClusterError(f"workers were lost {TRIES} times {what}: {why}", hint="is there memory for them?")
        self._again.extend(lost)
        self._workers[self._workers.index(worker)] = self._hired()

    def _refuse_to_wait(self) -> None:
        if self._are_ready():
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since > START_TIMEOUT_S:
            raise ClusterError(
                f"no worker could be started within {START_TIMEOUT_S:g} s",
                hint="is there room on the cluster? ray status",
            )
