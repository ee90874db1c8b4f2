"""Which paths a folder's owner wants left out: `exclude` globs and `.lookalikeignore` files, as in .gitignore."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookalike.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pathspec import GitIgnoreSpec

IGNORE_FILE = b".lookalikeignore"


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that hold inside one folder: those of the folders above it, then its own."""

    specs: tuple[tuple[bytes, GitIgnoreSpec], ...] = field(default=())

    def with_patterns(self, below: bytes, patterns: Sequence[str]) -> IgnoreRules:
        """These rules and, for what lies below the key `below`, `patterns` on top. Raises SourceError on a bad one."""
        from pathspec import GitIgnoreSpec

        try:
            spec = GitIgnoreSpec.from_lines(patterns)
        except ValueError as error:
            raise SourceError(
                f"a pattern of what to leave out cannot be read: {error}", hint="patterns are written as in .gitignore"
            ) from error
        return IgnoreRules((*self.specs, (below, spec)))

    def with_file(self, below: bytes, path: bytes) -> IgnoreRules:
        """These rules and those of an ignore file. Raises OSError when it cannot be read, SourceError on a bad one."""
        with open(path, encoding="utf-8", errors="surrogateescape") as lines:
            return self.with_patterns(below, lines.read().splitlines())

    def ignores(self, key: bytes, *, folder: bool) -> bool:
        """Whether the entry of that key is left out: the last pattern that speaks of it decides."""
        for below, spec in reversed(self.specs):
            name = os.fsdecode(key[len(below) :]) + ("/" if folder else "")
            verdict = spec.check_file(name).include
            if verdict is not None:
                return bool(verdict)
        return False
