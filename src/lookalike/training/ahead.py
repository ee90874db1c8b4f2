"""What is needed next is made in a thread while the present is worked on: reading and cropping cost no waiting."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_WAITING = 2  # results kept ready
_LOOK_S = 0.2  # how long the thread may take to notice that it is no longer wanted


class Ahead(Generic[T]):
    """`next` gives the results of `make`, called again and again in one thread of its own. A context manager."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._ready: queue.Queue[T | Exception] = queue.Queue(_WAITING)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def next(self) -> T:
        """The next result; an error of `make` is raised here."""
        result = self._ready.get()
        if isinstance(result, Exception):
            raise result
        return result

    def _work(self) -> None:
        torch.set_num_threads(1)  # of this thread: the others are busy with the network
        while not self._done.is_set():
            try:
                result: T | Exception = self._make()
            except Exception as error:  # whatever it is, it belongs to who waits for the result
                result = error
            self._offer(result)

    def _offer(self, result: T | Exception) -> None:
        while not self._done.is_set():
            try:
                self._ready.put(result, timeout=_LOOK_S)
            except queue.Full:
                continue
            return
