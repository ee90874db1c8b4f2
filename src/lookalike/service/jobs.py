"""Runs that a service does, of indexing and of looking for duplicates: started, watched and stopped over the API.

One run at a time for each collection, in a thread of its own beside those that answer; the collection's lock keeps
other processes out, and a run that meets it says who has it. What a run tells is kept for who asks later, and sent to
who watches as server-sent events. Runs of a process that ends are stopped; what they did is kept.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lookalike.core.errors import LookalikeError
from lookalike.core.wording import Wording
from lookalike.engine.duplicates_report import DuplicatesReport
from lookalike.engine.reports import Progress, SyncReport
from lookalike.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from lookalike.core.wording import Said
    from lookalike.engine.any_collection import AnyCollection
    from lookalike.engine.duplicates import Duplicates
    from lookalike.engine.likeness_words import Reasons

    Work: TypeAlias = Callable[[threading.Event], Iterable[object]]
    """Does a run and tells of it as `Collection.sync` does; ends soon when the event is set."""

Task = Literal["index", "duplicates"]
State = Literal["running", "done", "stopped", "failed"]
KEPT = 100
"""Ended runs that can still be asked for."""
_LOOK_S = 0.2
"""How often a run is looked at for those who watch it."""
_END_S = 30.0


@dataclass(slots=True)
class Job:
    """One run. `progress`, `report`: JSON-ready; `said`: why it failed, empty where it did not.

    `noted`: what a look for duplicates left out.
    """

    number: int
    collection: str
    task: Task
    state: State = "running"
    progress: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    said: Said = ("", "")
    noted: Reasons = ()
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def as_dict(self) -> dict[str, Any]:
        """What the API tells of it."""
        failure, hint = map(str, self.said)
        return {
            "id": self.number,
            "collection": self.collection,
            "task": self.task,
            "state": self.state,
            "progress": dict(self.progress),
            "report": self.report,
            "failure": f"{failure} ({hint})" if hint else failure,
        }


class Jobs:
    """The runs of one process."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._numbers = itertools.count(1)
        self._starting = threading.Lock()

    def start(self, name: str, task: Task, work: Work) -> Job:
        """Begin a run over the collection called `name`. Raises Problem while one runs."""
        with self._starting:
            running = next(
                (job for job in self._jobs.values() if job.collection == name and job.state == "running"), None
            )
            if running is not None:
                goes_on = Wording("run_goes_on", run=str(running.number), name=name)
                raise Problem(409, "busy", goes_on, hint=Wording("wait_or_stop"))
            job = Job(next(self._numbers), name, task)
            self._jobs[job.number] = job
            for old in [each for each in self._jobs.values() if each.state != "running"][:-KEPT]:
                del self._jobs[old.number]
        job.thread = threading.Thread(target=_run, args=(job, work), name=f"run {job.number}", daemon=True)
        job.thread.start()
        return job

    def all(self) -> list[Job]:
        """Every run that is still known, the latest first."""
        return [*reversed(self._jobs.values())]

    def job(self, number: int) -> Job:
        """Raises Problem for one that is not known."""
        if number not in self._jobs:
            raise Problem(404, "no-job", Wording("no_run", run=str(number)))
        return self._jobs[number]

    def stop(self) -> None:
        """Have what runs stop soon."""
        for job in self._jobs.values():
            job.stop.set()

    def close(self) -> None:
        """Stop what runs, and wait a while for it: what was taken is kept in any case."""
        self.stop()
        for job in self._jobs.values():
            if job.thread is not None:
                job.thread.join(_END_S)


def indexing(collection: AnyCollection, paths: Sequence[str], *, retry_failed: bool) -> Work:
    """Takes in `paths`, or looks through all that the collection knows without any."""
    return lambda stop: collection.sync(paths, retry_failed=retry_failed, index="background", stop=stop)


def looking_for_duplicates(known: Duplicates) -> Work:
    """Looks at the pictures that are new since the last such run."""
    return lambda stop: known.find(stop=stop)


async def watched(job: Job) -> AsyncIterator[dict[str, Any]]:
    """What a run tells, each time it changes, until it has ended."""
    last: dict[str, Any] = {}
    while True:
        told = job.as_dict()
        if told != last:
            yield told
            last = told
        if told["state"] != "running":
            return
        await asyncio.sleep(_LOOK_S)


def _run(job: Job, work: Work) -> None:
    try:
        for event in work(job.stop):
            if isinstance(event, Progress):
                job.progress = {
                    "stage": event.stage,
                    "done": event.done,
                    "total": event.total,
                    "encoded": event.encoded,
                    "skipped": event.skipped,
                    "seconds": round(event.seconds, 1),
                }
            elif isinstance(event, SyncReport | DuplicatesReport):
                job.report = event.as_dict()
                job.noted = event.noted if isinstance(event, DuplicatesReport) else ()
        job.state = "stopped" if job.stop.is_set() else "done"
    except LookalikeError as error:
        job.said = error.said
        job.state = "failed"
    except Exception as error:  # a run must always end, and say so
        job.said = (Wording("run_unexpected", told=type(error).__name__), "")
        job.state = "failed"
