"""How a report looks: its parts as HTML. One file, no script, no address outside."""

from __future__ import annotations

import base64
from functools import singledispatch
from html import escape
from typing import TYPE_CHECKING

from lookalike.evaluation.report import Intervals, Plot, Sheet, Table, Text
from lookalike.evaluation.svg_chart import intervals_svg, plot_svg
from lookalike.evaluation.thumbnails import one_line

if TYPE_CHECKING:
    from lookalike.evaluation.report import Part, Report, Section, Tile

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ground: #fff; --ink: #17181a; --faint: #5f646b; --line: #e3e6e9; --soft: #f5f6f8;
  --right: #007a4d; --wrong: #b3261e }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ground: #141517; --ink: #ececee; --faint: #9a9fa7; --line: #33363b; --soft: #1d1f22;
    --right: #4cc38a; --wrong: #ff8a80 }}
}}
body {{ margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem); max-width: 68rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }}
h1 {{ margin: 0 0 1.5rem; font-size: 1.7rem; font-weight: 650; line-height: 1.25; overflow-wrap: anywhere }}
h2 {{ margin: 3rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--line);
  font-size: 1.3rem; font-weight: 600 }}
h3 {{ margin: 2rem 0 .5rem; font-size: 1rem; font-weight: 600 }}
h4 {{ margin: 1.4rem 0 .5rem; font-size: .95rem; font-weight: 500; overflow-wrap: anywhere }}
p {{ max-width: 46rem; margin: .6rem 0; overflow-wrap: anywhere }}
p.strong {{ font-size: 1.15rem; line-height: 1.45 }}
.note, .name, .faint {{ color: var(--faint); fill: var(--faint) }}
.note {{ font-size: .875rem }}
.wide {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }}
th, td {{ padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }}
th {{ color: var(--faint); font-weight: 500; vertical-align: bottom }}
.word {{ text-align: left; white-space: normal; min-width: 7.5rem; max-width: 26rem; overflow-wrap: anywhere }}
.marked {{ font-weight: 600 }}
summary {{ cursor: pointer; margin: 1.5rem 0 .5rem; font-weight: 600 }}
svg {{ display: block; width: 100%; max-width: 52rem; height: auto;
  font: 13px system-ui, sans-serif; fill: currentColor }}
.grid {{ stroke: var(--line) }}
.mark {{ stroke: var(--faint); stroke-width: 1.5; stroke-dasharray: 4 3 }}
.tiles {{ display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)) }}
figure {{ margin: 0; min-width: 0 }}
img, .empty {{ display: block; box-sizing: border-box; width: 100%; aspect-ratio: 1; border-radius: .3rem;
  background: var(--soft); border: 3px solid transparent }}
img {{ object-fit: contain }}
.empty {{ display: grid; place-items: center; color: var(--faint); font-size: .75rem; text-align: center }}
.is-right > :first-child {{ border-color: var(--right) }}
.is-right b {{ color: var(--right) }}
.is-wrong b {{ color: var(--wrong) }}
figcaption {{ margin-top: .25rem; font-size: .78rem; line-height: 1.35; overflow-wrap: anywhere }}
figcaption b {{ font-weight: 600 }}
.name {{ display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; font-size: .875rem }}
dt {{ color: var(--faint) }}
dd {{ margin: 0; overflow-wrap: anywhere }}
@media print {{ section {{ break-inside: avoid-page }} }}
</style>
</head>
<body>
<h1>{title}</h1>
{sections}
{about}
</body>
</html>
"""
_VERDICT = {True: ("is-right", "right"), False: ("is-wrong", "wrong"), None: ("", "")}


def page_of(report: Report) -> str:
    """The whole page."""
    sections = "\n".join(map(_section, report.sections))
    return _PAGE.format(title=_text(report.title), sections=sections, about=_about(report))


def _section(section: Section) -> str:
    parts = "\n".join(map(_part, section.parts))
    return f"<section>\n<h2>{_text(section.title)}</h2>\n{parts}\n</section>"


def _about(report: Report) -> str:
    if not report.about:
        return ""
    lines = "\n".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in report.about.items())
    return f"<section>\n<h2>To get the same again</h2>\n<dl>\n{lines}\n</dl>\n</section>"


@singledispatch
def _part(part: Part) -> str:
    raise TypeError(f"a report has no part of type {type(part).__name__}")


@_part.register
def _(part: Text) -> str:
    return f'<p class="{"strong" if part.strong else ""}">{_text(part.text)}</p>'


@_part.register
def _(part: Table) -> str:
    head = "".join(f"<th{_kind(column, part)}>{_text(cell)}</th>" for column, cell in enumerate(part.header))
    lines = [f"<tr>{head}</tr>"]
    for number, row in enumerate(part.rows):
        cells = "".join(f"<td{_kind(column, part)}>{_text(cell)}</td>" for column, cell in enumerate(row))
        lines.append(f'<tr class="{"marked" if number in part.marked else ""}">{cells}</tr>')
    body = "\n".join(lines)
    table = f'<div class="wide"><table>\n{body}\n</table></div>{_note(part.note)}'
    if part.folded:
        return f"<details>\n<summary>{_text(part.title)}</summary>\n{table}\n</details>"
    return f"{_title(part.title)}{table}"


@_part.register
def _(part: Plot) -> str:
    return f"{_title(part.title)}{plot_svg(part)}{_note(part.note)}"


@_part.register
def _(part: Intervals) -> str:
    return f"{_title(part.title)}{intervals_svg(part)}{_note(part.note)}"


@_part.register
def _(part: Sheet) -> str:
    rows = []
    for heading, tiles in part.rows:
        shown = "\n".join(map(_tile, tiles)) if tiles else '<p class="note">no pictures</p>'
        rows.append(f'<h4>{_text(heading)}</h4>\n<div class="tiles">\n{shown}\n</div>')
    return f"{_title(part.title)}{_note(part.note)}" + "\n".join(rows)


def _tile(tile: Tile) -> str:
    kind, verdict = _VERDICT[tile.right]
    name = _text(tile.name)
    if tile.jpeg is None:
        shown = '<div class="empty">cannot be shown</div>'
    else:
        data = base64.b64encode(tile.jpeg).decode("ascii")
        shown = f'<img src="data:image/jpeg;base64,{data}" alt="{name}">'
    told = f"{f'<b>{verdict}</b> ' if verdict else ''}{_text(tile.caption)}"
    label = f'<span class="name" title="{name}">{name}</span>' if name else ""
    return f'<figure class="{kind}">{shown}<figcaption>{told}{label}</figcaption></figure>'


def _kind(column: int, table: Table) -> str:
    return ' class="word"' if column < table.names else ""


def _title(text: str) -> str:
    return f"<h3>{_text(text)}</h3>\n" if text else ""


def _note(text: str) -> str:
    return f'<p class="note">{_text(text)}</p>' if text else ""


def _text(text: str) -> str:
    return escape(one_line(text))
