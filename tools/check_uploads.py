"""Sends odd, broken and hostile files to a running service, at each place that takes a picture.

    python tools/check_uploads.py [--per N] [CORPUS ...]

Each CORPUS is a folder of real files, of which N each are sent whole, cut short, with bits turned over, and with
another file's end; the own odd files of the tests and files made to cost minutes are added. Every answer has to be a
result or an error that fits: no 5xx, no path of this computer, nothing later than LATEST_S; and questions in words are
answered meanwhile. Ends with status 1 where one is not.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from lookalike.testing import draw_pictures

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from odd_files import write_odd_files

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-m", "lookalike")
LATEST_S = 20.0
"""Twice what decoding may take, for a machine that does other things too."""
MOST_BYTES = 24_000_000
FITTING = {200, 413, 415, 422, 503}
"""A result; too large; no picture; nothing asked; not decoded in time."""
MARK = b"a-line-that-parts"


@dataclass
class Tally:
    """What was answered, and what must not have been."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    words_s: list[float] = field(default_factory=list)


class Site:
    """A service at an address, and what its answers must not name."""

    def __init__(self, address: str, secret: str) -> None:
        self.address = address
        self._secrets = (secret.encode(), b"Traceback", os.sep.encode() + b"site-packages", b"/usr/", b"/home/")

    def send(self, way: str, data: bytes) -> tuple[int, bytes]:
        if way == "/knn-service":
            body, kind = json.dumps({"image": base64.b64encode(data).decode(), "num_images": 1}).encode(), "text/plain"
        else:
            head = b'--%b\r\nContent-Disposition: form-data; name="image"; filename="x.jpg"\r\n\r\n' % MARK
            body, kind = head + data + b"\r\n--" + MARK + b"--\r\n", f"multipart/form-data; boundary={MARK.decode()}"
        return self.ask(way, body, {"Content-Type": kind})

    def ask(self, way: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        asked = urllib.request.Request(self.address + way, data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def leaks(self, body: bytes) -> bool:
        """Whether an error tells of this computer; results name their files, as they should."""
        return any(secret in body for secret in self._secrets)


def try_one(site: Site, name: str, data: bytes, tally: Tally) -> None:
    """Send one file to every place; through the page it is followed to where the page goes."""
    for way in ("/api/v1/search", "/pictures", "/knn-service"):
        started = time.perf_counter()
        try:
            status, body = site.send(way, data)
        except OSError as error:
            tally.faults.append(f"{way} {name}: no answer ({error})")
            continue
        took = time.perf_counter() - started
        tally.slowest = max(tally.slowest, (took, f"{way} {name}"))
        told = json.loads(body) if way != "/pictures" and status != 200 else {}
        tally.answers[f"{status} {told.get('code', '')}".strip()] += 1
        if status not in FITTING or (way != "/pictures" and status != 200 and site.leaks(body)) or took > LATEST_S:
            tally.faults.append(f"{way} {name}: {status} after {took:.1f} s: {body[:300]!r}")


# --- files -----------------------------------------------------------------------------------------


def scans_without_end(seconds: int = 40) -> bytes:
    """A progressive JPEG of 25 MB whose scans each touch every block of a large picture."""
    stream = io.BytesIO()
    Image.effect_noise((6000, 6000), 3).save(stream, "JPEG", progressive=True, quality=10)
    data = stream.getvalue()
    start = data.rindex(b"\xff\xda")
    head, last = data[:start], data[start:-2]
    length = int.from_bytes(last[2:4], "big") + 2
    empty = last[:length] + b"\x00" * 16
    return head + last + empty * min(seconds * 2000, (MOST_BYTES - len(data)) // len(empty)) + b"\xff\xd9"


def bomb_of_text() -> bytes:
    """A PNG whose comments unpack to gigabytes."""
    chunk = b"zTXt" + b"k\0\0" + zlib.compress(bytes(200_000_000), 9)
    packed = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    plain = small("PNG")
    return plain[:33] + packed * 20 + plain[33:]


def small(kind: str, side: int = 64) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((side, side), 40).convert("RGB").save(stream, kind)
    return stream.getvalue()


def large(kind: str, width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (width, height)).save(stream, kind)
    return stream.getvalue()


def hostile() -> Iterator[tuple[str, bytes]]:
    """Files made to cost time or memory, each small enough to be taken."""
    yield "a JPEG of endless scans", scans_without_end()
    yield "a PNG with gigabytes of text", bomb_of_text()
    yield "a PNG of 99 million pixels", large("PNG", 9_900, 10_000)
    yield "a JPEG 2000 of 64 million pixels", large("JPEG2000", 8_000, 8_000)
    yield "a WebP of 100 million pixels", large("WEBP", 10_000, 10_000)
    yield "a GIF of 90 million pixels", large("GIF", 9_000, 10_000)
    yield "a PNG of 400 million pixels", large("PNG", 20_000, 20_000)
    yield "a TIFF of 2,000,000 x 40 pixels", large("TIFF", 2_000_000, 8)
    yield "nothing", b""
    yield "a web page", b"<html><script>alert(1)</script></html>"
    yield (
        "an SVG with a foreign entity",
        (b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'),
    )
    yield "an EPS program", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n"
    yield "too many bytes", bytes(26_000_000)


def mutated(files: list[Path], rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Each file whole and in three broken forms."""
    for path in files:
        name, data = ascii(path.name), path.read_bytes()
        yield name, data
        if len(data) < 16:
            continue
        yield f"{name}, cut", data[: rng.randrange(8, len(data))]
        turned = bytearray(data)
        for _ in range(max(1, len(data) // 2000)):
            turned[rng.randrange(len(turned))] ^= 1 << rng.randrange(8)
        yield f"{name}, bits turned", bytes(turned)
        other = rng.choice(files).read_bytes()
        yield f"{name}, another's end", data[: len(data) // 2] + other[len(other) // 2 :][:MOST_BYTES]


def sample(corpus: Path, count: int, rng: random.Random) -> list[Path]:
    files = sorted(path for path in corpus.rglob("*") if path.is_file() and path.stat().st_size < MOST_BYTES)
    return rng.sample([path for path in files if ".git" not in path.parts], min(count, len(files)))


# --- the run ---------------------------------------------------------------------------------------


@contextmanager
def served(collection: Path) -> Iterator[str]:
    asked = [*COMMAND, "serve", "--collection", str(collection), "--port", "0", "--json"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE) as serving:
        try:
            assert serving.stdout is not None
            told = b"".join(iter(serving.stdout.readline, b"}\n")) + b"}"
            yield json.loads(told)["address"].rstrip("/")
        finally:
            serving.terminate()


def ask_words(site: Site, tally: Tally, ended: threading.Event) -> None:
    """Ask in words all the while: nobody's file may stop others."""
    while not ended.wait(0.25):
        started = time.perf_counter()
        status, _ = site.ask("/api/v1/search?q=red+circle")
        tally.words_s.append(time.perf_counter() - started)
        if status != 200:
            tally.faults.append(f"words meanwhile: {status}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="*", type=Path, metavar="CORPUS")
    parser.add_argument("--per", type=int, default=40, help="files of each corpus")
    asked = parser.parse_args()
    rng, tally, ended = random.Random(1), Tally(), threading.Event()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        draw_pictures(root / "pictures", 48)
        (root / "odd").mkdir()
        write_odd_files(root / "odd")
        collection = root / "drawn.lookalike"
        subprocess.run(
            [*COMMAND, "index", root / "pictures", "--collection", collection, "--json"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        with served(collection) as address:
            site = Site(address, place)
            asking = threading.Thread(target=ask_words, args=(site, tally, ended))
            asking.start()
            for name, data in hostile():
                try_one(site, name, data, tally)
            odd = [path for path in sorted((root / "odd").rglob("*")) if path.is_file() and os.access(path, os.R_OK)]
            for folder in [odd, *(sample(corpus, asked.per, rng) for corpus in asked.corpora)]:
                for name, data in mutated(folder, rng):
                    try_one(site, name, data, tally)
            ended.set()
            asking.join()
    print(*(f"{count:6} {answer}" for answer, count in tally.answers.most_common()), sep="\n")
    print(f"slowest: {tally.slowest[0]:.1f} s, {tally.slowest[1]}")
    words_ms = sorted(1000 * each for each in tally.words_s)
    print(f"words meanwhile: median {statistics.median(words_ms):.0f} ms, longest {words_ms[-1]:.0f} ms")
    print(*tally.faults, sep="\n")
    print(f"kept: {not tally.faults} ({sum(tally.answers.values())} answers, {len(tally.faults)} faults)")
    sys.exit(bool(tally.faults))


if __name__ == "__main__":
    main()
