"""A page of results: one HTML file that holds its pictures and needs nothing else, not even a script."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.evaluation.thumbnails import one_line, thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.evaluation.thumbnails import Row

BOX = (480, 480)  # pixels; sharp at half that size on dense screens
_JPEG_QUALITY = 82

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ground: #fff; --ink: #17181a; --faint: #5f646b; --empty: #eef0f2 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ground: #141517; --ink: #ececee; --faint: #9a9fa7; --empty: #2a2c30 }}
}}
body {{ margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem); max-width: 84rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }}
h1 {{ margin: 0; font-size: 1rem; font-weight: 500; color: var(--faint) }}
h2 {{ margin: 2.25rem 0 .9rem; font-size: 1.4rem; font-weight: 600; line-height: 1.25; overflow-wrap: anywhere }}
.answers {{ display: grid; gap: 1.25rem 1rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)) }}
figure {{ margin: 0; min-width: 0 }}
img, .empty {{ display: block; width: 100%; aspect-ratio: 4 / 3; border-radius: .35rem; background: var(--empty) }}
img {{ object-fit: contain }}
.empty {{ display: grid; place-items: center; color: var(--faint); font-size: .85rem }}
figcaption {{ margin-top: .4rem; font-size: .85rem; line-height: 1.35 }}
.name {{ display: block; color: var(--faint); overflow: hidden; text-overflow: ellipsis; white-space: nowrap }}
p {{ color: var(--faint) }}
</style>
</head>
<body>
<h1>{title}</h1>
{sections}
</body>
</html>
"""


def results_page(rows: Sequence[Row], out: Path, *, title: str = "lookalike") -> None:
    """Write `rows` to `out` as one HTML page. Raises OSError when it cannot be written."""
    sections = "\n".join(map(_section, rows))
    out.write_text(_PAGE.format(title=_text(title), sections=sections), encoding="utf-8")


def _section(row: Row) -> str:
    heading, answers = row
    figures = "\n".join(_figure(Path(path), caption) for path, caption in answers)
    body = f'<div class="answers">\n{figures}\n</div>' if answers else "<p>no pictures</p>"
    return f"<section>\n<h2>{_text(heading)}</h2>\n{body}\n</section>"


def _figure(path: Path, caption: str) -> str:
    name = _text(path.name)
    image = thumbnail(path, BOX)
    if image is None:
        shown = '<div class="empty">cannot be shown</div>'
    else:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=_JPEG_QUALITY)
        data = base64.b64encode(stream.getvalue()).decode("ascii")
        shown = f'<img src="data:image/jpeg;base64,{data}" alt="{name}">'
    told = f'{_text(caption)}<span class="name" title="{_text(str(path))}">{name}</span>'
    return f"<figure>{shown}<figcaption>{told}</figcaption></figure>"


def _text(text: str) -> str:
    return escape(one_line(text))
