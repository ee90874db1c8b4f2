"""Checks deploy/ with the real programs: NGINX and Prometheus of the system before two services of ours.

    python tools/check_deploy.py [--photos DIR] [--clients N] [--only files|running]

Files: Dockerfile, compose, workflows, unit, rules and their tests, by the linters that are found. Running: what NGINX
keeps out; two rolling restarts and one kill -9 under load, every failed request counted; every expression of alerts
and dashboard asked of a Prometheus that scraped the services. Ends with status 1 where something is not as it should.
Needs Linux with nginx and prometheus: apt install nginx-light prometheus.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml
from asking import Material, Outcomes, asking
from deployed import DEPLOY, Deployed, answered, deployed, until

from lookalike.testing import draw_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = DEPLOY.parent
WORKFLOWS = ROOT / ".github" / "workflows"
SETTLE_S = 3.0  # longer than NGINX leaves a service alone that did not answer (fail_timeout)
SHOWN = 10
GROWING = "growing"
LINTERS = (
    ("hadolint", DEPLOY / "Dockerfile"),
    ("hadolint", DEPLOY / "kubernetes" / "Dockerfile"),
    ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "docker-compose.yml"),
    ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *sorted(WORKFLOWS.glob("*.yml"))),
    ("zizmor", "--offline", "--quiet", "--no-progress", "--min-severity", "medium", WORKFLOWS),
    ("promtool", "check", "rules", DEPLOY / "prometheus" / "rules.yml"),
    ("promtool", "test", "rules", DEPLOY / "prometheus" / "rules_test.yml"),
)


class Report:
    """Says what was seen, and remembers whether all of it was right."""

    def __init__(self) -> None:
        self.is_right = True

    def add(self, what: str, told: object, *, right: bool) -> None:
        self.is_right &= right
        print(f"{'ok ' if right else 'NOT'}  {what}: {told}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, help="a folder to index; drawn pictures unless given")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--only", choices=["files", "running"])
    asked = parser.parse_args()
    report = Report()
    if asked.only != "running":
        check_files(report)
    if asked.only != "files":
        with tempfile.TemporaryDirectory() as folder:
            check_running(report, Path(folder), asked)
    return 0 if report.is_right else 1


# --- files -----------------------------------------------------------------------------------------


def check_files(report: Report) -> None:
    for command in LINTERS:
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        told = "clean" if ended.returncode == 0 else ended.stdout + ended.stderr
        report.add(" ".join(map(str, command[:3])).replace(f"{ROOT}/", ""), told, right=ended.returncode == 0)
    if shutil.which("systemd-analyze"):
        check_unit(report)


def check_unit(report: Report) -> None:
    """The unit parses, and allows little. Only that the program is not installed where it says may be wrong."""
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "lookalike@8001.service"
        shutil.copy(DEPLOY / "lookalike@.service", unit)
        parsed = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
        wrong = [line for line in parsed.stderr.splitlines() if "/opt/lookalike/bin/lookalike is not exec" not in line]
        report.add("systemd-analyze verify", wrong or "clean", right=not wrong)
        security = ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit]
        judged = subprocess.run(security, capture_output=True, text=True, check=False)
        report.add("systemd-analyze security", judged.stdout.splitlines()[-1], right=judged.returncode == 0)


# --- running ---------------------------------------------------------------------------------------


def check_running(report: Report, place: Path, asked: argparse.Namespace) -> None:
    with deployed(place, index(place, asked.photos)) as found:
        items = [hit["id"] for hit in json.loads(found.ask("/api/v1/search?q=picture&k=50")[2])["hits"]]
        small = f"/api/v1/items/{quote(items[0])}/thumbnail"
        until(lambda: found.ask(small)[0] == 200)
        material = Material(items, found.ask(small)[2])
        check_door(report, found)
        check_events(report, found)
        with asking(found.port, found.token, material, asked.clients) as outcomes:
            time.sleep(10)
        report.add("load alone", outcomes, right=not outcomes.failures)
        show(outcomes)
        for turn in (1, 2):
            with asking(found.port, found.token, material, asked.clients) as outcomes:
                statuses = rolling_restart(found)
            right = not outcomes.failures and set(statuses) <= {0, -signal.SIGTERM}
            report.add(f"rolling restart {turn}", f"{outcomes}; ended with {statuses}", right=right)
            show(outcomes)
        check_kill(report, found, material, asked.clients)
        check_figures(report, found)


def show(outcomes: Outcomes) -> None:
    for failure in outcomes.failures[:SHOWN]:
        print(f"     {failure}")


def index(place: Path, photos: Path | None) -> Path:
    """A collection of photos, drawn ones unless given, and of a folder that will grow."""
    draw_pictures(place / GROWING, 10)
    if photos is None:
        photos = place / "drawn"
        draw_pictures(photos, 300)
    collection = place / "checked.lookalike"
    command = [sys.executable, "-m", "lookalike", "index", photos, place / GROWING, "--collection", collection]
    subprocess.run(command, check=True, capture_output=True)
    return collection


def check_door(report: Report, found: Deployed) -> None:
    """What NGINX and the services behind it keep out."""

    def add(what: str, answer: Any, status: int, code: str = "") -> None:
        there = json.loads(answer[2]).get("code") if code else ""
        report.add(what, f"{answer[0]} {there}", right=(answer[0], there) == (status, code))

    add("a search with a token", found.ask("/api/v1/search?q=red"), 200)
    add("a search without", found.ask("/api/v1/search?q=red", headers={}), 401, "no-token")
    add("figures from outside", found.ask("/metrics"), 404)
    add("another host's name", found.ask("/healthz", headers={"Host": "evil.example"}), 421, "unknown-host")
    large = found.ask("/api/v1/search", body=bytes(27_500_000))
    add("27.5 MB", large, 413, "too-large")
    kind = large[1]["Content-Type"]
    report.add("27.5 MB, as", kind, right=kind == "application/problem+json")
    statuses = claims_to_be_many(found)
    told = {status: statuses.count(status) for status in sorted(set(statuses))}
    report.add(f"{len(statuses)} requests of one client that claims to be many", told, right=429 in told)


def claims_to_be_many(found: Deployed) -> list[int]:
    """The answers to one client, faster than one may ask, that names another address for itself each time."""

    def ask(number: int) -> int:
        status: int = found.ask("/sign-in", headers={"X-Forwarded-For": f"10.0.{number % 250}.1"})[0]
        return status

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(ask, range(600)))


def check_events(report: Report, found: Deployed) -> None:
    """Events come through NGINX as they happen: not all of them at the end of the run."""
    draw_pictures(found.place / GROWING, 500)
    line = http.client.HTTPConnection("127.0.0.1", found.port, timeout=60, source_address=("127.0.0.2", 0))
    headers = {"Authorization": f"Bearer {found.token}", "Content-Type": "application/json"}
    with closing(line):
        line.request("POST", "/api/v1/jobs", b"{}", headers)
        job = json.load(line.getresponse())
        line.request("GET", f"/api/v1/jobs/{job['id']}/events", headers=headers)
        told = [(time.monotonic(), json.loads(each[6:])) for each in line.getresponse() if each.startswith(b"data: ")]
    (first, begins), (last, ends) = told[0], told[-1]
    right = last - first > 0.2 and (begins["state"], ends["state"]) == ("running", "done")
    seen = f"{len(told)} over {last - first:.1f} s, from {begins['state']} to {ends['state']}"
    report.add("events of a run", seen, right=right)


def rolling_restart(found: Deployed) -> list[int]:
    """One service after the other; how each ended."""
    statuses = []
    for service in found.services:
        time.sleep(SETTLE_S)
        statuses.append(service.end())
        service.start()
    time.sleep(SETTLE_S)
    return statuses


def check_kill(report: Report, found: Deployed, material: Material, clients: int) -> None:
    """One service killed under load: at most what was being answered fails."""
    lost = 0
    for turn in range(4):
        with asking(found.port, found.token, material, clients) as outcomes:
            time.sleep(SETTLE_S)
            in_flight = outcomes.in_flight
            found.services[turn % 2].end(signal.SIGKILL)
            time.sleep(SETTLE_S)
            found.services[turn % 2].start()
            time.sleep(SETTLE_S)
        lost += len(outcomes.failures)
        told = f"{outcomes}; {in_flight} were in flight"
        report.add(f"kill -9, {turn + 1}", told, right=len(outcomes.failures) <= clients)
        show(outcomes)
    report.add("kill -9, requests lost in all", lost, right=True)


# --- figures ---------------------------------------------------------------------------------------


def check_figures(report: Report, found: Deployed) -> None:
    """Every expression gives series over what was scraped; alerts as the truth of their condition."""
    for group in found.prometheus("rules")["groups"]:
        for rule in group["rules"]:
            report.add(f"rule {rule['name']}", rule["health"], right=rule["health"] == "ok")

    def is_there(expression: str) -> list[Any]:
        found.ask("/api/v1/items/nobody")  # that errors are counted shows only where there are some
        return answered(found, expression)

    for name, expression in [*alerts(), *panels()]:
        try:
            until(partial(is_there, expression))
            told = f"{len(answered(found, expression))} series"
        except (TimeoutError, OSError) as error:
            report.add(name, f"{error} {expression}", right=False)
            continue
        report.add(name, told, right=True)
    shares = answered(found, 'sum by (instance) (lookalike_request_seconds_count{route="/api/v1/search"})')
    told = [int(float(each["value"][1])) for each in shares]
    report.add("searches that each service answered since its start", told, right=len(told) == 2 and min(told) > 0)


def alerts() -> Iterator[tuple[str, str]]:
    """Alerts by name, each as the truth of its condition; that nothing is watched is asked the other way round."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text(encoding="utf-8"))
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        condition = re.sub(r" (==|>|<) (?=[\d.]+$)", r" \1 bool ", rule["expr"].strip())
        yield rule.get("alert") or rule["record"], condition.replace("absent(", "(")


def panels() -> Iterator[tuple[str, str]]:
    """Expressions of the dashboard by the title of their panel."""
    board = json.loads((DEPLOY / "grafana" / "lookalike.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            chosen = re.sub(r"\$(instance|collection)", ".*", target["expr"])
            yield f"panel {panel['title']}", chosen.replace("$__rate_interval", "1m")


if __name__ == "__main__":
    sys.exit(main())
