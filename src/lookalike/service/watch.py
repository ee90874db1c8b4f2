"""What a service tells about itself: figures for Prometheus at `/metrics`, and a line of JSON for each request.

Neither holds what was asked: a route's pattern stands for the address, so no words, ids or tokens are kept. Figures are
of one process.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from lookalike.core.records import Results
    from lookalike.service.desk import Desk

REQUESTS = logging.getLogger("lookalike.requests")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32)
_NO_ROUTE = "(none)"

router = APIRouter(include_in_schema=False)


class Figures:
    """The figures of one application."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Histogram(
            "lookalike_request_seconds",
            "Time from a request to the last byte of its answer.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self.stages = Histogram(
            "lookalike_stage_seconds",
            "Time of the stages of a request: decode, encode, search, fetch, render.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.errors = Counter("lookalike_errors", "Requests that were refused or failed.", ("code",), registry=registry)
        self.together = Histogram(
            "lookalike_asked_together", "Questions asked in one call.", buckets=_SIZES, registry=registry
        )
        self.waiting = Gauge(
            "lookalike_waiting", "Calls that run, and calls and questions that wait.", registry=registry
        )
        self.thumbnails = Counter(
            "lookalike_thumbnails", "Small pictures, kept or made.", ("source",), registry=registry
        )
        self.items = Gauge("lookalike_items", "Items of a collection.", ("collection",), registry=registry)
        self.skipped = Gauge("lookalike_skipped_files", "Files not taken.", ("collection",), registry=registry)
        self.generation = Gauge("lookalike_generation", "Grows with every change.", ("collection",), registry=registry)
        self.behind = Gauge(
            "lookalike_rows_behind_index",
            "Rows newer than the index.",
            ("collection",),
            registry=registry,
        )

    def answered(self, results: Results) -> None:
        """Note where the time of an answer went."""
        for stage in ("encode", "search", "fetch"):
            self.stages.labels(stage).observe(results.took_ms.get(stage, 0.0) / 1000)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """All figures, as Prometheus reads them."""
    desk: Desk = request.app.state.desk
    await desk.lanes.run(_describe, desk)
    desk.figures.waiting.set(desk.lanes.waiting + desk.lanes.questions)
    return Response(generate_latest(desk.figures.registry), media_type=CONTENT_TYPE_LATEST)


def _describe(desk: Desk) -> None:
    """Bring the figures about collections up to date; of those that are open, nothing is opened for them."""
    for name in desk.shelf.opened:
        described = desk.shelf.describe(name)
        figures, status = desk.figures, described.status
        figures.items.labels(name).set(status["items"])
        figures.skipped.labels(name).set(status["failures"])
        figures.generation.labels(name).set(described.generation)
        figures.behind.labels(name).set((status.get("index") or {}).get("newer", 0))


class Watch:
    """Part of the application that times each request and writes its line."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, sent = time.perf_counter(), 500, 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", _NO_ROUTE)
            self._figures.requests.labels(scope["method"], route, str(status)).observe(seconds)
            if status >= 400:
                self._figures.errors.labels(scope.get("state", {}).get("code", str(status))).inc()
            REQUESTS.info("%s", _Line(scope, route, status, sent, seconds))


class _Line:
    """A line of the log, made only where someone reads it."""

    def __init__(self, scope: Scope, route: str, status: int, sent: int, seconds: float) -> None:
        self._told: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "request": scope.get("state", {}).get("number", ""),
            "method": scope["method"],
            "route": route,
            "status": status,
            "bytes": sent,
            "ms": round(1000 * seconds, 2),
        }

    def __str__(self) -> str:
        return json.dumps(self._told)
