"""`lookalike serve`: the collection as a page and an API, on this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.options import command, device_option
from lookalike.cli.settings import collection_path

if TYPE_CHECKING:
    from lookalike.service.settings import Served

PORT = 8000


@command
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="DIR",
    help="A collection to serve; may be repeated.  [default: $LOOKALIKE_COLLECTION, else one in your data folder]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--log", "is_logging", is_flag=True, help="A line of JSON on standard error for each request.")
@device_option
def serve(*, collections: tuple[str, ...], host: str, port: int, is_logging: bool, device: str) -> None:
    """Serve the collection as a page for the browser and as an API for programs.

    Only this computer can reach it. The page is at http://127.0.0.1:8000/, the API below /api/v1, its
    description at /api/v1/openapi.json.
    """
    from lookalike.core.errors import MissingExtra

    try:
        import uvicorn

        from lookalike.service.app import create_app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lookalike"):
            raise
        raise MissingExtra("lookalike serve", "serve") from None
    from lookalike.service.settings import ServiceSettings, is_local

    if not is_local(host):
        raise click.UsageError(
            f"{host} can be reached by others; this service answers to this computer only: 127.0.0.1"
        )
    _prepare_logs(is_logging=is_logging)
    settings = ServiceSettings(_named(collections), host=host, port=port, device=device)
    config = uvicorn.Config(create_app(settings), host=host, port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    shown = f"[{host}]" if ":" in host else host
    printing.note(f"lookalike is at http://{shown}:{port}/  (Ctrl-C ends it)")
    server.run()


def _prepare_logs(*, is_logging: bool) -> None:
    """What went wrong goes to standard error in any case, each request only when asked for."""
    import logging

    levels = {
        "lookalike.requests": logging.INFO if is_logging else logging.CRITICAL,
        "lookalike.service": logging.ERROR,
    }
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.addHandler(logging.StreamHandler())
        logger.propagate = False


def _named(given: tuple[str, ...]) -> tuple[Served, ...]:
    """The collections with the names they have in addresses: those of their folders."""
    from lookalike.service.settings import Served

    served = [Served(path.stem, path) for path in map(collection_path, given or (None,))]
    names = [each.name for each in served]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.UsageError(f"two collections are called {twice}; rename the folder of one")
    return tuple(served)
