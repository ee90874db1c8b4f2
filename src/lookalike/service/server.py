"""The server that runs the application, and the order in which it ends.

Asked to end (SIGTERM, Ctrl-C) it says so first: `/readyz` answers 503, every answer asks for its connection to be
closed, runs of indexing stop, which ends the streams that watch them. Behind a proxy it goes on answering for a moment
after that, so that the proxy's open connections are not cut off under a request. Then it takes no new connections and
ends with the last request that was being answered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import uvicorn

from lookalike.service.app import create_app
from lookalike.service.closing import Closing

if TYPE_CHECKING:
    import socket

    from lookalike.service.settings import ServiceSettings

END_S = 30
"""How long requests that are being answered may go on, such as a slow download, once it ends."""


class Server(uvicorn.Server):
    """`run(sockets=[...])` serves until a signal, or until `should_exit` is set."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._closing = Closing()
        self._farewell_s = settings.farewell_s
        super().__init__(
            uvicorn.Config(
                create_app(settings, self._closing),
                host=settings.host,
                port=settings.port,
                log_level="error",
                access_log=False,
                proxy_headers=bool(settings.proxies),
                forwarded_allow_ips=list(settings.proxies),
                timeout_graceful_shutdown=END_S,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye, then end."""
        self._closing.begin()
        await asyncio.sleep(self._farewell_s)
        await super().shutdown(sockets)
