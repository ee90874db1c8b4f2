"""What `tune` and `bench` share: showing which candidate is built or searched, and options about candidates."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.cli.settings import colour_wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.cli.options import Decorated
    from lookalike.engine.trials import Trying

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def kinds_option(help: str) -> Callable[[Decorated], Decorated]:
    """`--kinds`: kinds of index, separated by commas; None without it."""
    return click.option("--kinds", metavar="LIST", callback=_as_kinds, help=help)


def memory_option(help: str) -> Callable[[Decorated], Decorated]:
    """`--memory`: bytes as a person writes them, "2GB", "500 MB", "1.5GiB"; None without it."""
    return click.option("--memory", metavar="SIZE", callback=_as_bytes, help=help)


def _as_kinds(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    from lookalike.engine.trials import EXACT
    from lookalike.index.kinds import KINDS

    if value is None:
        return None
    kinds = tuple(each.strip() for each in value.split(","))
    wrong = [each for each in kinds if each not in {EXACT, *KINDS}]
    if wrong:
        raise click.BadParameter(f"there is no index kind {wrong[0]!r}; there are {', '.join((EXACT, *KINDS))}")
    return kinds


def _as_bytes(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", value, re.IGNORECASE)
    unit = _UNITS.get(match[2].upper()) if match else None
    size = int(float(match[1]) * unit) if match and unit else 0
    if size == 0:
        raise click.BadParameter(f"{value!r} is no amount of memory; write it like 2GB or 500MB")
    return size


def teller() -> Callable[[Trying], None]:
    """Rewrites one line of a terminal; elsewhere a line for each candidate."""
    live = sys.stderr.isatty() and colour_wanted()
    said: set[tuple[int, str]] = set()

    def tell(trying: Trying) -> None:
        if live:
            sys.stderr.write(f"\r\033[K{describe(trying)}")
            sys.stderr.flush()
        elif (trying.number, trying.name) not in said:
            said.add((trying.number, trying.name))
            printing.note(f"{_number(trying)}: {trying.name}")

    return tell


def stop_telling() -> None:
    """Leave the line of a terminal empty."""
    if sys.stderr.isatty() and colour_wanted():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()


def describe(trying: Trying) -> str:
    """Where a run stands, in a line that fits every terminal."""
    share = f" {100 * trying.share:.0f} %" if trying.doing == "building" and trying.share else ""
    return f"{_number(trying)}: {trying.doing} {trying.name}{share}, {printing.duration(round(trying.seconds))}"


def milliseconds(value: float) -> str:
    """For a cell of a table."""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def megabytes(size: int) -> str:
    """For a cell of a table."""
    return f"{size / 1e6:.1f}" if size < 10e6 else f"{size / 1e6:.0f}"


def _number(trying: Trying) -> str:
    return f"candidate {trying.number}" + (f" of {trying.of}" if trying.of else "")
