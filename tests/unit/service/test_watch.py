"""The service tells how it fares, and nothing of what it was asked."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import TYPE_CHECKING

from lookalike.service.watch import REQUESTS

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "zebra-with-a-secret"


def wait_until(so: Callable[[], bool]) -> None:
    """An answer is counted and logged after it was sent: whoever has it in hand may come a moment too early."""
    deadline = time.monotonic() + 20
    while not so() and time.monotonic() < deadline:
        time.sleep(0.01)


def figures(site) -> dict[str, float]:
    lines = [line for line in site.ask("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_requests_stages_and_errors_are_counted_by_pattern_and_code(site):
    before = figures(site)
    site.search(q=SECRET)
    site.ask("/api/v1/items/nobody")
    site.item(site.search(q="red", k=1)["hits"][0]["id"], "/thumbnail")
    small = [f'lookalike_thumbnails_total{{source="{source}"}}' for source in ("kept", "made")]
    drawn = 'lookalike_request_seconds_count{method="GET",route="/api/v1/items/{id:path}/thumbnail",status="200"}'
    wait_until(lambda: figures(site).get(drawn, 0) > before.get(drawn, 0))
    after = figures(site)

    def grew(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    assert grew('lookalike_request_seconds_count{method="GET",route="/api/v1/search",status="200"}') == 2
    assert grew('lookalike_errors_total{code="no-item"}') == 1
    assert grew('lookalike_stage_seconds_count{stage="encode"}') == 2
    assert grew("lookalike_asked_together_count") == 2
    assert sum(grew(name) for name in small) == 1
    assert after['lookalike_items{collection="drawn"}'] == 120
    assert after['lookalike_skipped_files{collection="drawn"}'] == 1


def test_the_log_has_a_line_for_each_request_and_no_words(site, caplog):
    def lines() -> list[dict]:
        told = [json.loads(record.getMessage()) for record in caplog.records if record.name == REQUESTS.name]
        return [each for each in told if each["route"] in ("/api/v1/search", "/item/{id:path}")]

    with caplog.at_level(logging.INFO, REQUESTS.name):
        reply = site.ask("/api/v1/search", q=SECRET)
        wait_until(lambda: len(lines()) == 1)
        site.ask(f"/item/{SECRET}")
        wait_until(lambda: len(lines()) == 2)
    assert [(each["route"], each["status"]) for each in lines()] == [("/api/v1/search", 200), ("/item/{id:path}", 404)]
    assert lines()[0]["request"] == reply.headers["x-request-id"]
    assert lines()[0]["bytes"] == len(reply.body)
    assert not re.search("zebra", caplog.text + site.ask("/metrics").text)
