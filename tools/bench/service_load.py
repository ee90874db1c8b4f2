"""What a service takes: questions a second beside the bare library, at 70 % of that, in overload, with slow clients.

    python tools/bench/service_load.py --collection DIR [--rounds 3] [--seconds 10] [--overload 120] [--out FILE]

Bare and served runs take turns, and their ratio is of neighbours, so that what else the machine does counts for both.
Every question is a new one: nothing is remembered. Goals: served at least 0.7 of bare; p99 at most 4 x p50 at 70 %; in
overload nothing but 200, 429 and 503, memory flat; 1,000 slow clients stop nobody.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import lookalike
from lookalike.core.cores import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-m", "lookalike")
THINGS = (
    "red blue green black white small large old new wooden leather cotton summer winter dress shirt jacket boots dog"
    " cat bird horse beach street mountain river night snow rain child woman man crowd market bicycle car train boat"
)
BATCH = 32
CONNECTIONS = 64
OVERLOAD = 600
SLOW = 1000


def questions(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    return (" ".join(rng.sample(THINGS.split(), 4)) + f" {rng.randrange(10**6)}" for _ in itertools.count())


@dataclass
class Heard:
    """Answers by status, and how long they took."""

    statuses: Counter[str] = field(default_factory=Counter)
    ms: dict[str, list[float]] = field(default_factory=dict)

    def add(self, status: str, seconds: float) -> None:
        self.statuses[status] += 1
        self.ms.setdefault(status, []).append(1000 * seconds)

    def quantile(self, status: str, share: float) -> float:
        found = sorted(self.ms.get(status, [0.0]))
        return round(found[int(share * (len(found) - 1))], 1)


# --- asking ----------------------------------------------------------------------------------------


async def ask(line: tuple[asyncio.StreamReader, asyncio.StreamWriter], question: str) -> str:
    """The status of an answer over a connection that stays."""
    reader, writer = line
    writer.write(f"GET /api/v1/search?k=10&q={quote(question)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    await reader.readexactly(length)
    return head[9:12].decode()


async def keep_asking(port: int, connections: int, seconds: float, heard: Heard) -> None:
    """Each connection asks again as soon as it is answered."""
    ends = time.perf_counter() + seconds

    async def one(number: int) -> None:
        words = questions(number + int(ends))
        while time.perf_counter() < ends:
            with suppress(OSError, asyncio.IncompleteReadError):
                line = await asyncio.open_connection("127.0.0.1", port)
                while time.perf_counter() < ends:
                    started = time.perf_counter()
                    status = await ask(line, next(words))
                    heard.add(status, time.perf_counter() - started)
                    if status != "200":
                        await asyncio.sleep(0.05)  # a program would wait a second, as it is told
                line[1].close()
                return
            heard.add("broken off", 0.0)

    await asyncio.gather(*(one(number) for number in range(connections)))


async def ask_at(port: int, rate: float, seconds: float, heard: Heard) -> None:
    """Questions at random moments, `rate` a second, whatever becomes of those before; time runs from the moment."""
    lines: asyncio.LifoQueue = asyncio.LifoQueue()
    for _ in range(CONNECTIONS):
        lines.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    words, rng, asked = questions(int(time.time())), random.Random(1), []

    async def one(due: float) -> None:
        line = await lines.get()
        if line[0].at_eof():  # it was idle for longer than the service keeps one
            line = await asyncio.open_connection("127.0.0.1", port)
        heard.add(await ask(line, next(words)), time.perf_counter() - due)
        lines.put_nowait(line)

    due = time.perf_counter()
    ends = due + seconds
    while due < ends:
        due += rng.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        asked.append(asyncio.create_task(one(due)))
    await asyncio.gather(*asked)
    while not lines.empty():
        lines.get_nowait()[1].close()


async def be_slow(port: int, clients: int, seconds: float) -> int:
    """Clients that send a request a byte at a time; how many are still connected at the end."""

    async def one() -> bool:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /api/v1/search?q=")
            for _ in range(int(seconds)):
                await asyncio.sleep(1)
                writer.write(b"a")
                await writer.drain()
            writer.close()
            return not reader.at_eof()
        return False

    return sum(await asyncio.gather(*(one() for _ in range(clients))))


# --- the runs --------------------------------------------------------------------------------------


def bare_rate(collection: lookalike.Collection, seconds: float) -> float:
    """Questions a second of encoder and search alone, a thread for each core, as many together as the service asks."""
    ends = time.perf_counter() + seconds

    def work(seed: int) -> int:
        words, done = questions(seed), 0
        while time.perf_counter() < ends:
            collection.search_many(list(itertools.islice(words, BATCH)), k=10)
            done += BATCH
        return done

    cores, started = usable_cores(), time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        done = sum(pool.map(work, range(cores)))
    return done / (time.perf_counter() - started)


@contextmanager
def served(collection: Path) -> Iterator[tuple[int, int]]:
    """Port and process id of a service, until the block ends."""
    asked = [*COMMAND, "serve", "--collection", str(collection), "--port", "0", "--json"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE) as serving:
        try:
            told = json.loads(b"".join(iter(serving.stdout.readline, b"}\n")) + b"}")
            yield urlsplit(told["address"]).port, serving.pid
        finally:
            serving.terminate()


def memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 1e6, 1)


def take_turns(port: int, collection: Path, rounds: int, seconds: float) -> dict:
    ratios, rates, bares = [], [], []
    with lookalike.open(collection, create=False) as opened:
        bare_rate(opened, 1)
        asyncio.run(keep_asking(port, CONNECTIONS, 2, Heard()))
        for _ in range(rounds):
            bares.append(bare_rate(opened, seconds))
            heard = Heard()
            asyncio.run(keep_asking(port, CONNECTIONS, seconds, heard))
            rates.append(heard.statuses["200"] / seconds)
            ratios.append(rates[-1] / bares[-1])
    middle = statistics.median
    return {"bare": round(middle(bares)), "served": round(middle(rates)), "ratio": round(middle(ratios), 3)}


async def overload(port: int, pid: int, seconds: float) -> dict:
    """More than can be answered; memory is looked at in the first and in the last tenth."""
    heard, memory = Heard(), []

    async def watch() -> None:
        while True:
            memory.append(memory_mb(pid))
            await asyncio.sleep(seconds / 40)

    watching = asyncio.create_task(watch())
    await keep_asking(port, OVERLOAD, seconds, heard)
    watching.cancel()
    return {
        "statuses": dict(heard.statuses),
        "refused_ms": [heard.quantile("503", 0.5), heard.quantile("503", 0.99)],
        "memory_mb": [memory[len(memory) // 10], memory[-1]],
    }


async def with_slow_clients(port: int, rate: float, seconds: float) -> dict:
    heard = Heard()
    slow = asyncio.create_task(be_slow(port, SLOW, seconds + 3))
    await asyncio.sleep(2)
    await ask_at(port, rate, seconds, heard)
    return {"slow": await slow, "statuses": dict(heard.statuses), "p50_ms": heard.quantile("200", 0.5),
            "p99_ms": heard.quantile("200", 0.99)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--overload", type=float, default=120)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with served(asked.collection) as (port, pid):
        told: dict = {"turns": take_turns(port, asked.collection, asked.rounds, asked.seconds)}
        print(json.dumps(told["turns"]), flush=True)
        heard, rate = Heard(), 0.7 * told["turns"]["served"]
        asyncio.run(ask_at(port, rate, 2 * asked.seconds, heard))
        told["at_70"] = {"rate": round(rate), "statuses": dict(heard.statuses), "p50_ms": heard.quantile("200", 0.5),
                         "p99_ms": heard.quantile("200", 0.99)}  # fmt: skip
        print(json.dumps(told["at_70"]), flush=True)
        told["slow_clients"] = asyncio.run(with_slow_clients(port, rate / 2, asked.seconds))
        print(json.dumps(told["slow_clients"]), flush=True)
        told["overload"] = asyncio.run(overload(port, pid, asked.overload))
        print(json.dumps(told["overload"]), flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
