"""What commands share: the options that mean the same everywhere, and the state of one call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
DEVICES = ("auto", "cpu", "cuda", "coreml", "directml")


@dataclass(slots=True)
class Session:
    """One call of the command line. `debug`: show a traceback for errors."""

    debug: bool = False


def _set_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        ctx.ensure_object(Session).debug = True


def debug_option() -> click.Option:
    """`--debug`, understood before and after the command's name."""
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        callback=_set_debug,
        help="Show where an error came from.",
    )


def json_option(function: Decorated) -> Decorated:
    """`--json`, handed over as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(function)


def collection_option(function: Decorated) -> Decorated:
    """`--collection`: a directory, or None for the settings to decide."""
    return click.option(
        "--collection",
        metavar="DIR",
        help="The collection, or its address.  [default: $LOOKALIKE_COLLECTION, else one in your data folder]",
    )(function)


def device_option(function: Decorated) -> Decorated:
    """`--device`: where the encoder runs."""
    return click.option(
        "--device",
        type=click.Choice(DEVICES),
        metavar="DEVICE",
        default="auto",
        show_default=True,
        help=f"Where the encoder runs: {', '.join(DEVICES)}.",
    )(function)


def output_file(option: str, name: str) -> Path:
    """Where a file is to be written, checked before hours of work: its folder must be there. Raises UsageError."""
    path = Path(name).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        wrong = "is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise click.UsageError(f"{option} {name}: {wrong}")
    return path


def command(function: Callable[..., None]) -> click.Command:
    """A command named after its function, with `-h` and `--debug`; its docstring is its help."""
    made = click.command(function.__name__.replace("_", "-"), context_settings=CONTEXT)(function)
    made.params.append(debug_option())
    return made
