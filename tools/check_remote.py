"""Checks a service on a collection elsewhere: NGINX of the system, two workers, one Milvus.

    python tools/check_remote.py [--photos DIR] [--pictures 60]

Pictures are indexed into milvus-lite's server on 127.0.0.1; two `lookalike serve` on that collection stand behind NGINX
as deploy/ has it. Asked by way of NGINX: the page, a question in words, one with a filter, a picture and its thumbnail,
by both workers alike. Then one worker is killed, then Milvus, which starts again: what is answered meanwhile, and how
long it takes. Ends with status 1 where something is not as it should. Needs Linux with nginx.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from check_deploy import Report
from deployed import Deployed, deployed, environment, until

from lookalike.testing import draw_pictures
from milvus_servers import MilvusServer

TIMEOUT_S = 5
"""What the workers give one try of a call: so long may an answer about a Milvus that is away take, and a little."""
SPARE_S = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, help="a folder to index; drawn pictures unless given")
    parser.add_argument("--pictures", type=int, default=60)
    asked = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        photos = asked.photos or place / "photos"
        if asked.photos is None:
            draw_pictures(photos, asked.pictures)
        (place / "milvus").mkdir()
        server = MilvusServer(place / "milvus")
        server.start()
        try:
            check(report, place, photos, server)
        finally:
            server.kill()
    return 0 if report.is_right else 1


def check(report: Report, place: Path, photos: Path, server: MilvusServer) -> None:
    address = f"{server.address}/shop"
    command = [sys.executable, "-m", "lookalike", "index", photos, "--collection", address, "--json"]
    until(lambda: subprocess.run(command, env=environment(place), capture_output=True, check=False).returncode == 0)
    done = subprocess.run(command, env=environment(place), capture_output=True, check=True)
    report.add(
        "a second run changes nothing", json.loads(done.stdout)["added"], right=json.loads(done.stdout)["added"] == 0
    )
    more = {"LOOKALIKE_REMOTE_TIMEOUT": str(TIMEOUT_S)}
    with deployed(place, address, watched=False, more=more) as found:
        check_answers(report, found)
        check_one_worker_less(report, found)
        check_no_engine(report, found, server)


def check_answers(report: Report, found: Deployed) -> None:
    """Every question twice, so that NGINX hands it to both workers."""
    for path in ("/", "/status", "/api/v1/fields", "/metrics"):
        statuses = [found.ask(path)[0] for _ in range(2)]
        right = statuses == [200, 200] or (path == "/metrics" and 200 not in statuses)  # NGINX keeps figures in
        report.add(path, statuses, right=right)
    for question in ("q=red", f"q=red&where={quote('width > 10')}", "q=blue+circle&k=5"):
        answers = [json.loads(found.ask(f"/api/v1/search?{question}")[2]) for _ in range(4)]
        ids = [[hit["id"] for hit in each["hits"]] for each in answers]
        report.add(question, f"{len(ids[0])} hits", right=bool(ids[0]) and all(each == ids[0] for each in ids))
    id = ids[0][0]
    for path in (f"/api/v1/items/{id}", f"/api/v1/items/{id}/thumbnail?side=160"):
        status, headers, _ = found.ask(path)
        report.add(path.replace(id, "ID"), (status, headers["Content-Type"]), right=status == 200)


def check_one_worker_less(report: Report, found: Deployed) -> None:
    found.services[0].end(signal.SIGKILL)
    statuses = [found.ask(f"/api/v1/search?q=red&k={k}")[0] for k in range(1, 9)]
    report.add("one worker killed", statuses, right=set(statuses) == {200})
    found.services[0].start()


def check_no_engine(report: Report, found: Deployed, server: MilvusServer) -> None:
    server.kill()
    began = time.monotonic()
    status, _, body = found.ask("/api/v1/search?q=green")
    took, code = time.monotonic() - began, json.loads(body).get("code")
    right = (status, code) == (503, "engine-away") and took < TIMEOUT_S + SPARE_S
    report.add("Milvus killed", f"{status} {code} after {took:.1f} s", right=right)
    ready = [service.readiness() for service in found.services]
    report.add("readiness of the workers", ready, right=set(ready) == {503})
    server.start()
    began = time.monotonic()
    until(lambda: found.ask("/api/v1/search?q=green")[0] == 200)
    report.add("Milvus started again", f"answers after {time.monotonic() - began:.1f} s", right=True)
    until(lambda: all(service.readiness() == 200 for service in found.services))


if __name__ == "__main__":
    sys.exit(main())
