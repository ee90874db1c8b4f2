"""The service tells how it fares, and nothing of what it was asked."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import TYPE_CHECKING

import pytest

from lookalike.service.settings import Served, ServiceSettings
from lookalike.service.watch import REQUESTS

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "zebra-with-a-secret"
PATIENCE_S = 120.0


def wait_until(so: Callable[[], bool]) -> None:
    """An answer is counted and logged after it was sent: whoever has it in hand may come a moment too early."""
    deadline = time.monotonic() + PATIENCE_S
    while not so() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture
def site(shown, run_service):
    """A service that was asked nothing before."""
    with run_service(ServiceSettings((Served("drawn", shown / "drawn.lookalike"),))) as opened:
        yield opened


def figures(site) -> dict[str, float]:
    lines = [line for line in site.ask("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_requests_stages_and_errors_are_counted_by_pattern_and_code(site):
    site.search(q=SECRET)
    site.ask("/api/v1/items/nobody")
    site.item(site.search(q="red", k=1)["hits"][0]["id"], "/thumbnail")
    expected = {
        'lookalike_request_seconds_count{method="GET",route="/api/v1/search",status="200"}': 2,
        'lookalike_request_seconds_count{method="GET",route="/api/v1/items/{id:path}/thumbnail",status="200"}': 1,
        'lookalike_errors_total{code="no-item"}': 1,
        'lookalike_stage_seconds_count{stage="encode"}': 2,
        "lookalike_asked_together_count": 2,
        'lookalike_items{collection="drawn"}': 120,
        'lookalike_skipped_files{collection="drawn"}': 1,
    }
    wait_until(lambda: expected.items() <= figures(site).items())
    found = figures(site)
    assert {name: found.get(name) for name in expected} == expected
    assert sum(found.get(f'lookalike_thumbnails_total{{source="{source}"}}', 0) for source in ("kept", "made")) == 1


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
