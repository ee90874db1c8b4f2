"""Photos straight out of git repositories, without a work tree.

A folder of snapshots holds one git directory per repository, named `owner+name` (bare, or with a work tree's `.git`,
or inside a folder `repo`). `git clone --bare https://github.com/OWNER/NAME SNAPSHOTS/OWNER+NAME` makes one.
"""

from __future__ import annotations

import random
import re
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from lookalike.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from lookalike.training.photo_sets import PhotoSet

_PICTURES = (".jpg", ".jpeg", ".png")
_DRAW_SEED = 7  # of the pictures kept where a class has more than a set takes
_NUMBER = re.compile(r"(\d+)\.\w+$")


class Snapshots:
    """The repositories under `folder`. Picklable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git_dir(self, repository: str) -> Path:
        """Raises SourceError when the repository is not there."""
        place = self.folder / repository.replace("/", "+")
        for candidate in (place / "repo" / ".git", place / "repo", place / ".git", place):
            if (candidate / "objects").is_dir():
                return candidate
        raise SourceError(
            f"{repository} is not among the snapshots in {self.folder}",
            hint=f"git clone --bare https://github.com/{repository} {place}",
        )

    def files(self, repository: str, commit: str) -> list[tuple[str, str]]:
        """(path, blob) of every file of a commit."""
        listing = self._git(repository, "ls-tree", "-r", "-z", commit).decode("utf-8", "surrogateescape")
        entries = (line.split("\t", 1) for line in listing.split("\0") if line)
        return [(path, meta.split()[2]) for meta, path in entries]

    def text(self, repository: str, commit: str, path: str) -> str:
        """One text file."""
        return self._git(repository, "cat-file", "blob", f"{commit}:{path}").decode("utf-8")

    def content(self, repository: str, commit: str, path: str) -> bytes:
        return self._git(repository, "cat-file", "blob", f"{commit}:{path}")

    @contextmanager
    def reader(self, repository: str) -> Iterator[Callable[[str], bytes]]:
        """A function from blob name to bytes, served by one git process. It raises SourceError for a missing blob."""
        command = ["git", "--git-dir", str(self.git_dir(repository)), "cat-file", "--batch"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            ask, answer = process.stdin, process.stdout
            assert ask is not None
            assert answer is not None
            yield lambda blob: _read(ask, answer, blob)
            ask.close()

    def _git(self, repository: str, *arguments: str) -> bytes:
        command = ["git", "--git-dir", str(self.git_dir(repository)), *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            raise SourceError(f"{repository}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def _read(ask: IO[bytes], answer: IO[bytes], blob: str) -> bytes:
    ask.write(blob.encode() + b"\n")
    ask.flush()
    header = answer.readline().split()
    if len(header) != 3:
        raise SourceError(f"the snapshot lacks {blob}")
    content = answer.read(int(header[2]))
    answer.read(1)
    return content


def photos_of(
    photos: PhotoSet, snapshots: Snapshots, barred: Iterable[str] = (), labels: dict[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """(path, blob, label) of a set, in a stable order. `barred`: file names never taken (those of a test).

    `labels`: labels by file name without suffix, for sets whose labels stand in a table; unlisted photos are left out.
    """
    shut = set(barred)
    found = []
    for path, blob in snapshots.files(photos.repository, photos.commit):
        name = path.rsplit("/", 1)[-1]
        wanted = path.lower().endswith(_PICTURES) and re.search(photos.pattern, path)
        if not wanted or name in shut or re.search(photos.leave_out, path) or not _of_parity(photos, name):
            continue
        label = _label(photos, path) if labels is None else labels.get(name.rsplit(".", 1)[0], "")
        if label or photos.label is None:
            found.append((path, blob, label))
    return _drawn(found, photos.per_class)


def _label(photos: PhotoSet, path: str) -> str:
    """The class in a path. PACS has two parts (domain/class): both are kept."""
    parts = path.split("/")
    if photos.label is None:
        return ""
    return "/".join(parts[1:3]) if photos.name == "pacs" else parts[photos.label]


def _of_parity(photos: PhotoSet, name: str) -> bool:
    number = _NUMBER.search(name)
    if not photos.parity or number is None:
        return not photos.parity
    return int(number.group(1)) % 2 == (photos.parity == "odd")


def _drawn(found: list[tuple[str, str, str]], per_class: int | None) -> list[tuple[str, str, str]]:
    """At most `per_class` of each label."""
    if per_class is None:
        return found
    draw = random.Random(_DRAW_SEED)  # noqa: S311  chooses photos, keeps no secret
    kept: list[tuple[str, str, str]] = []
    for label in sorted({label for _, _, label in found}):
        members = sorted(entry for entry in found if entry[2] == label)
        draw.shuffle(members)
        kept += members[:per_class]
    return kept
