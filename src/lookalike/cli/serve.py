"""`lookalike serve`: the collection as a page and an API, on this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.numbers import whole_number
from lookalike.cli.options import command, device_option, json_option
from lookalike.cli.settings import cache_folder, collection_path, engine_access, remote_address

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.service.settings import Served

PORT = 8000
REMOTE_REQUESTS_A_SECOND = 20.0
"""What one client from elsewhere may ask in the long run: a person scrolling through pictures stays far below."""
FAREWELL_S = 2.0
"""How long it goes on answering behind a proxy once it is to end: every connection the proxy uses meanwhile is told."""


@command
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="DIR",
    help="A collection to serve; may be repeated.  [default: $LOOKALIKE_COLLECTION, else one in your data folder]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=whole_number(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="A name it is called by; may be repeated.")
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    callback=lambda _context, _option, given: _networks(given),
    help="The address or network of a proxy that hands on what others ask; may be repeated.",
)
@click.option("--history", "keeps_history", is_flag=True, help="Keep what is asked in words, for each token its own.")
@click.option("--log", "is_logging", is_flag=True, help="A line of JSON on standard error for each request.")
@device_option
@json_option
def serve(
    *,
    collections: tuple[str, ...],
    host: str,
    port: int,
    names: tuple[str, ...],
    proxies: tuple[str, ...],
    keeps_history: bool,
    is_logging: bool,
    device: str,
    as_json: bool,
) -> None:
    """Serve the collection as a page for the browser and as an API for programs.

    Unless told otherwise only this computer can reach it. With another --host, or behind a --proxy, who asks needs a
    token (lookalike token add NAME), and --name says by which names it may be called.
    """
    from lookalike.cli.token import tokens_path
    from lookalike.core.errors import MissingExtra

    try:
        from lookalike.service.server import Server
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lookalike"):
            raise
        raise MissingExtra("lookalike serve", "serve") from None
    from lookalike.service.settings import ServiceSettings, is_local

    remote = not is_local(host) or bool(proxies)
    settings = ServiceSettings(
        _named(collections),
        host=host,
        port=port,
        hosts=names,
        device=device,
        tokens=_tokens(proxies[0] if is_local(host) else host) if remote else None,
        requests_a_second=REMOTE_REQUESTS_A_SECOND if remote else 0.0,
        proxies=proxies,
        farewell_s=FAREWELL_S if proxies else 0.0,
        history=tokens_path() if keeps_history else None,
        prepares=True,
        access=engine_access(),
        cache=cache_folder(),
    )
    _prepare_logs(is_logging=is_logging)
    server = Server(settings)
    with server.config.bind_socket() as line:
        line.listen()  # who reads the address below may connect at once, and waits until the service has started
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{line.getsockname()[1]}/"
        if as_json:
            printing.out_json({"address": address, "collections": [each.name for each in settings.collections]})
        else:
            printing.note(f"lookalike is at {address}  (Ctrl-C ends it)")
        server.run(sockets=[line])


def _tokens(host: str) -> Path:
    """The database of tokens, which a service that others can reach must have. Raises UsageError without a token."""
    from lookalike.cli.token import tokens_path
    from lookalike.store.tokens import Tokens

    path = tokens_path()
    if not Tokens(path).all():
        raise click.UsageError(f"others can ask by way of {host}, so who asks needs a token: lookalike token add NAME")
    return path


def _networks(given: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses and networks as they were given. Raises BadParameter for what is none, such as a name."""
    import ipaddress

    for each in given:
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            raise click.BadParameter(f"{error}; such as 127.0.0.1 or 172.30.77.0/24") from None
    return given


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


def _served(given: str | None) -> Served:
    from lookalike.remote.opening import name_in
    from lookalike.service.settings import Served

    address = remote_address(given)
    if address is not None:
        return Served(name_in(address), address)
    path = collection_path(given)
    return Served(path.stem, path)


def _named(given: tuple[str, ...]) -> tuple[Served, ...]:
    """The collections with the names they have in addresses: those of their folders."""
    served = [_served(each) for each in given or (None,)]
    names = [each.name for each in served]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.UsageError(f"two collections are called {twice}; rename the folder of one")
    return tuple(served)
