"""Pictures decoded apart from the service: in processes of their own, each with a limit of time.

A file that was made to cost minutes, or that crashes a codec, costs its sender an error and nobody else anything: the
threads that wait for these processes are others than those that answer questions (`lanes`).
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

from lookalike.core.errors import CannotDecode
from lookalike.core.records import Picture
from lookalike.core.wording import Wording
from lookalike.images.decoding_pool import DecodingPool
from lookalike.service.lanes import Lanes
from lookalike.service.sent_picture import SentPicture

if TYPE_CHECKING:
    from lookalike.core.records import DecodeLimits


ANOTHER_TIME = frozenset({"too-slow", "out-of-memory"})
"""Codes of what may go well where less is done at once."""


class Decoding:
    """`lanes`: where to call `decode`, as many threads as there are processes, which start when they are needed."""

    def __init__(self, count: int | None = None) -> None:
        self.lanes = Lanes(count)
        self._all = [DecodingPool(1) for _ in range(self.lanes.count)]
        self._free: SimpleQueue[DecodingPool] = SimpleQueue()
        for pool in self._all:
            self._free.put(pool)

    def decode(self, data: bytes, side: int, limits: DecodeLimits) -> Picture:
        """The picture in a file, reduced for an encoder that looks at `side` pixels; waits for a free process.

        Raises CannotDecode, also for what takes longer than its limit of time.
        """
        if len(data) > limits.max_bytes:
            raise CannotDecode("too-big", Wording("file_too_big", size=len(data), most=limits.max_bytes))
        pool = self._free.get()
        try:
            sent = SentPicture(data)
            jobs = [(sent, sent.asset)]
            (_, _, answer), *_ = pool.decode_many(jobs, side=side, limits=limits)
        finally:
            self._free.put(pool)
        if isinstance(answer, Picture):
            return answer
        hint = Wording("wait_or_smaller") if answer.code in ANOTHER_TIME else ""
        raise CannotDecode(answer.code, answer.said or answer.reason, hint=hint)

    def close(self) -> None:
        """End the processes at once, and the waiting for them."""
        for pool in self._all:
            pool.close()
        self.lanes.close()
