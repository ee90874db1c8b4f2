"""The service tells how it fares, and nothing of what it was asked."""

from __future__ import annotations

import json
import logging
import re

from lookalike.service.watch import REQUESTS

SECRET = "zebra-with-a-secret"


def figures(site) -> dict[str, float]:
    lines = [line for line in site.ask("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_requests_stages_and_errors_are_counted_by_pattern_and_code(site):
    before = figures(site)
    site.search(q=SECRET)
    site.ask("/api/v1/items/nobody")
    site.item(site.search(q="red", k=1)["hits"][0]["id"], "/thumbnail")
    after = figures(site)

    def grew(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    assert grew('lookalike_request_seconds_count{method="GET",route="/api/v1/search",status="200"}') == 2
    assert grew('lookalike_errors_total{code="no-item"}') == 1
    assert grew('lookalike_stage_seconds_count{stage="encode"}') == 2
    assert grew("lookalike_asked_together_count") == 2
    small = [f'lookalike_thumbnails_total{{source="{source}"}}' for source in ("kept", "made")]
    assert sum(after.get(name, 0) - before.get(name, 0) for name in small) == 1
    assert after['lookalike_items{collection="drawn"}'] == 120
    assert after['lookalike_skipped_files{collection="drawn"}'] == 1


def test_the_log_has_a_line_for_each_request_and_no_words(site, caplog):
    with caplog.at_level(logging.INFO, REQUESTS.name):
        reply = site.ask("/api/v1/search", q=SECRET)
        site.ask(f"/item/{SECRET}")
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == REQUESTS.name]
    lines = [each for each in lines if each["route"] != "/metrics"]  # of a test before: a line follows its answer
    assert [(each["route"], each["status"]) for each in lines] == [("/api/v1/search", 200), ("/item/{id:path}", 404)]
    assert lines[0]["request"] == reply.headers["x-request-id"]
    assert lines[0]["bytes"] == len(reply.body)
    assert not re.search("zebra", caplog.text + site.ask("/metrics").text)
