"""What a person and a program see: text that no terminal chokes on, JSON, paths, sizes.

Standard output carries results only. File names are not always text, and text is not always harmless: for people
control characters and undecodable bytes are shown escaped; `write_paths` gives programs the very bytes.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli.settings import colour_wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WIDTH = 80
"""Columns where the terminal does not say."""
_CONFUSIONS = 12
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def prepare_streams() -> None:
    """Make both streams take any text: what their encoding lacks is written as an escape, never an exception."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def out(text: str = "") -> None:
    """A line of the result."""
    click.echo(text, color=_coloured(sys.stdout))


def note(text: str, *, dim: bool = False) -> None:
    """A line for the person, beside the result; a terminal gets it wrapped between words, under its own indent."""
    shown = _wrapped(text)
    _to_stderr(click.style(shown, dim=True) if dim else shown)


def error(message: str, hint: str = "", *, place: str = "") -> None:
    """What happened, and what to do next. `place`: lines that show where, as `core.pointing` makes them."""
    label = "error: "
    shown = _wrapped(label + printable(message)).removeprefix(label)
    _to_stderr(click.style(label, fg="red", bold=True) + shown)
    for line in place.splitlines():
        _to_stderr(printable(line))
    if hint:
        note(f"  {printable(hint)}")


def out_json(value: Any) -> None:
    """`value` as one JSON object; any encoding of the stream can carry it, and undecodable names survive."""
    import json

    text = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    click.echo(text)


def write_paths(paths: Iterable[str], *, null: bool) -> None:
    """The paths as the bytes they are on disk, one a line or NUL-terminated; a terminal gets them escaped."""
    if sys.stdout.isatty() and not null:
        for path in paths:
            out(printable(path))
        return
    end = b"\0" if null else b"\n"
    sys.stdout.flush()
    stream = sys.stdout.buffer
    for path in paths:
        stream.write(os.fsencode(path) + end)
    stream.flush()


def printable(text: str) -> str:
    """`text` with everything that a terminal would act on, or cannot show, written as an escape."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def columns() -> int | None:
    """The width of the terminal that standard output is; None when it is a file or a pipe."""
    if not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size((WIDTH, 24)).columns


def display_width(text: str) -> int:
    """Columns that `text` takes in a terminal; Chinese and Japanese signs take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def shortened(path: str, width: int) -> str:
    """`path` in at most `width` columns: the home folder as ~, and the middle left out when it is still too long."""
    home = os.path.expanduser("~")
    text = "~" + path[len(home) :] if path.startswith(home + os.sep) else path
    if display_width(text) <= width:
        return text
    gap = "…" if (sys.stdout.encoding or "").lower().startswith("utf") else "..."
    tail_width = min((width - len(gap)) * 2 // 3, display_width(os.path.basename(text)) + 1)
    tail = _last_columns(text, max(tail_width, (width - len(gap)) // 2))
    head = _last_columns(text[::-1], width - len(gap) - display_width(tail))[::-1]
    return f"{head}{gap}{tail}"


def padded(text: str, width: int) -> str:
    """`text` with spaces up to `width` columns."""
    return text + " " * max(0, width - display_width(text))


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str]) -> None:
    """Print rows under a header, columns as wide as their widest cell; the last one is left ragged."""
    everything = [header, *rows]
    widths = [max(display_width(row[column]) for row in everything) for column in range(len(header))]
    for number, row in enumerate(everything):
        cells = [padded(cell, width) for cell, width in zip(row[:-1], widths, strict=False)]
        line = "  ".join([*cells, row[-1]]).rstrip()
        out(click.style(line, bold=True) if number == 0 else line)


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 picture", "12,345 pictures"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def example_of(entries: Sequence[Mapping[str, str]], what: str) -> None:
    """A note that so many files were `what` ("skipped"), with the first one's `uri` and `reason`; none for none."""
    if entries:
        first = entries[0]
        files = count(len(entries), "file")
        note(f"{files} {what}, e.g. {printable(first['uri'])}: {printable(first['reason'])} (--json lists all)")


def confusions(found: Sequence[Mapping[str, Any]], key: str) -> None:
    """The most frequent of what is taken for what, behind an empty line; `key`: under which each names itself."""
    if found:
        out()
    for each in found[:_CONFUSIONS]:
        name, other = printable(each[key]), printable(each["taken_for"])
        out(f"{name} is taken for {other}: {each['count']} of {each['of']}")
    if len(found) > _CONFUSIONS:
        out(f"and {len(found) - _CONFUSIONS} more confusions (--json lists all)")


def size(n_bytes: float) -> str:
    """Bytes for a person: "512 bytes", "3.4 MB" (decimal units, as disks are sold)."""
    unit = 0
    while n_bytes >= 1000 and unit < len(_UNITS) - 1:
        n_bytes /= 1000
        unit += 1
    return f"{n_bytes:.0f} {_UNITS[unit]}" if unit == 0 or n_bytes >= 100 else f"{n_bytes:.1f} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """Seconds for a person: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"; a whole number gets no fraction."""
    whole = round(seconds)
    if seconds < 10 and isinstance(seconds, float):
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _to_stderr(text: str) -> None:
    """By `sys.stderr` as it is now: while a bar is shown, rich has put a stream there that writes above it."""
    print(text if _coloured(sys.stderr) else click.unstyle(text), file=sys.stderr)


def _wrapped(text: str) -> str:
    if not sys.stderr.isatty():
        return text
    indent = " " * (len(text) - len(text.lstrip(" ")))
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    return textwrap.fill(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _last_columns(text: str, width: int) -> str:
    """The longest end of `text` that takes at most `width` columns."""
    start = len(text)
    used = 0
    while start > 0:
        used += display_width(text[start - 1])
        if used > width:
            break
        start -= 1
    return text[start:]


def _coloured(stream: Any) -> bool:
    return colour_wanted() and bool(stream.isatty())
