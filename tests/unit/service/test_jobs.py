"""Runs of indexing are started, watched and stopped over the API, and searches see what they take."""

from __future__ import annotations

import json
import time

import pytest

import lookalike
from lookalike.service.settings import Served, ServiceSettings
from lookalike.store.tokens import Tokens
from lookalike.testing import draw_pictures


@pytest.fixture
def growing(tmp_path, run_service):
    """A service over a collection of its own, and the folder that it knows."""
    folder = tmp_path / "pictures"
    draw_pictures(folder, 4)
    with lookalike.open(tmp_path / "own.lookalike") as photos:
        list(photos.sync([folder]))
    with run_service(ServiceSettings((Served("own", tmp_path / "own.lookalike"),))) as site:
        yield site, folder


def ended(site, number):
    while (told := site.ask(f"/api/v1/jobs/{number}").json)["state"] == "running":
        time.sleep(0.1)
    return told


def test_a_run_takes_what_is_new_and_the_next_question_sees_it(growing):
    site, folder = growing
    assert len(site.search(q="red", k=50)["hits"]) == 4
    draw_pictures(folder / "more", 6, seed=9)
    started = site.post("/api/v1/jobs", {})
    assert (started.status, started.headers["location"]) == (201, "/api/v1/jobs/1")
    told = ended(site, 1)
    assert (told["state"], told["report"]["added"], told["failure"]) == ("done", 6, "")
    assert len(site.search(q="red", k=50)["hits"]) == 10
    assert site.ask("/api/v1/jobs").json == [told]
    assert site.ask("/api/v1/jobs/7").json["code"] == "no-job"


def test_a_run_is_watched_to_its_end(growing):
    site, folder = growing
    draw_pictures(folder / "more", 6, seed=9)
    number = site.post("/api/v1/jobs", {}).json["id"]
    stream = site.ask(f"/api/v1/jobs/{number}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(each.removeprefix("data: ")) for each in stream.text.split("\n\n") if each]
    assert events[-1]["state"] == "done"
    assert events[-1] == site.ask(f"/api/v1/jobs/{number}").json


def test_new_folders_are_taken_here_and_a_second_run_waits_its_turn(growing, tmp_path):
    site, _ = growing
    draw_pictures(tmp_path / "other", 40, seed=3)
    number = site.post("/api/v1/jobs", {"paths": [str(tmp_path / "other")]}).json["id"]
    second = site.post("/api/v1/jobs", {})
    assert second.status == 201 or second.json["code"] == "busy"
    assert ended(site, number)["report"]["added"] == 40
    failed = site.post("/api/v1/jobs", {"paths": [str(tmp_path / "nowhere")]})
    told = ended(site, failed.json["id"]) if failed.status == 201 else failed.json
    assert told.get("state") == "failed" or told.get("code") == "busy"


def test_a_run_is_stopped_and_keeps_what_it_took(growing, tmp_path):
    site, _ = growing
    draw_pictures(tmp_path / "many", 300, seed=4)
    number = site.post("/api/v1/jobs", {"paths": [str(tmp_path / "many")]}).json["id"]
    from urllib.request import Request, urlopen

    with urlopen(Request(f"{site.base}/api/v1/jobs/{number}", method="DELETE"), timeout=300) as answer:
        assert answer.status == 200
    assert ended(site, number)["state"] in {"stopped", "done"}
    assert site.ask("/readyz").status == 200


def test_a_token_to_read_starts_nothing_and_nobody_far_away_names_folders(tmp_path, shown, run_service):
    tokens = Tokens(tmp_path / "service.sqlite")
    read, write = tokens.add("reader", "read"), tokens.add("writer", "write")
    served = (Served("drawn", shown / "drawn.lookalike"),)
    with run_service(ServiceSettings(served, host="0.0.0.0", tokens=tmp_path / "service.sqlite")) as site:

        def start(secret, body):
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
            return site.ask("/api/v1/jobs", body=body, headers=headers)

        assert start(read, b"{}").json["code"] == "read-only-token"
        assert start(write, b'{"paths": ["/etc"]}').json["code"] == "not-from-here"
        assert start(write, b"{}").status == 201
