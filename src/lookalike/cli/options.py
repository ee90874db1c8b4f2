"""What commands share: the options that mean the same everywhere, and the state of one call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lookalike.core.causes import cause_of

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
    """Where a file is to be written, checked before hours of work: it must be possible there. Raises UsageError."""
    path = Path(name).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        wrong = "is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise click.UsageError(f"{option} {name}: {wrong}")
    try:
        _try_writing(path)
    except OSError as error:
        wrong = f"it cannot be written ({cause_of(error)}); name a file in a folder where you may write"
        raise click.UsageError(f"{option} {name}: {wrong}") from error
    return path


def _try_writing(path: Path) -> None:
    """Leaves what is there as it is. Raises OSError."""
    if path.is_file():
        path.open("ab").close()
    elif not path.exists():  # else it is a pipe or a device, whose reader would take this for all there is
        import tempfile

        tempfile.TemporaryFile(dir=path.parent).close()


class WithExample(click.Option):
    """An option of which an example is shown to whoever gives it too few values: `example="a.jpg b.jpg"`."""

    def __init__(self, *given: Any, example: str, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.example = example


class _Command(click.Command):
    """Says of an option without its value what it takes, and to who names a collection without its option which."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        takes_arguments = any(isinstance(each, click.Argument) for each in self.params)
        names_collection = any("--collection" in each.opts for each in self.params) and not takes_arguments
        ctx.allow_extra_args |= names_collection
        try:
            extra = super().parse_args(ctx, args)
        except click.BadOptionUsage as error:  # it knows no context, so the command could not be named
            options = [each for each in self.params if error.option_name in each.opts]
            takers = [each for each in options if isinstance(each, click.Option) and not each.is_flag]
            said = _what_it_takes(error.option_name, takers[0], ctx) if takers else error.message
            raise click.UsageError(said, ctx) from error
        if extra and names_collection and not ctx.resilient_parsing:
            said = f"{extra[0]} alone means nothing here; a collection is given as --collection DIR"
            raise click.UsageError(said, ctx)
        return extra


def _what_it_takes(name: str, option: click.Parameter, ctx: click.Context) -> str:
    takes = f"{name} takes {'a value' if option.nargs == 1 else 'two values'}: {option.make_metavar(ctx)}"
    return f"{takes}, such as {name} {option.example}" if isinstance(option, WithExample) else takes


def command(function: Callable[..., None]) -> click.Command:
    """A command named after its function, with `-h` and `--debug`; its docstring is its help."""
    made = click.command(function.__name__.replace("_", "-"), cls=_Command, context_settings=CONTEXT)(function)
    made.params.append(debug_option())
    return made
