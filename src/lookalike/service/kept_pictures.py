"""The latest pictures that visitors searched with, in memory only: so that a search with one has an address."""

from __future__ import annotations

import secrets
from collections import OrderedDict

from lookalike.core.wording import Wording
from lookalike.service.problems import Problem


class KeptPictures:
    """The pictures that visitors searched with, the latest ones, in memory only."""

    def __init__(self, most_bytes: int = 100_000_000) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, data: bytes) -> str:
        """Keep one; the name that finds it again cannot be guessed."""
        number = secrets.token_urlsafe(12)
        self._kept[number] = data
        while sum(map(len, self._kept.values())) > self._most and len(self._kept) > 1:
            self._kept.popitem(last=False)
        return number

    def __getitem__(self, number: str) -> bytes:
        if number not in self._kept:
            raise Problem(410, "picture-gone", Wording("picture_gone"), hint=Wording("drop_again"))
        self._kept.move_to_end(number)
        return self._kept[number]
