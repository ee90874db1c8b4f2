"""A page to review duplicates: one HTML file that holds its pictures, works offline, and lists decisions as commands.

The pictures of a group stand side by side with what differs between them. A person says which one to keep and which are
no duplicates, with the mouse or with keys; the page changes no file and knows no server: it lists what to type. It
holds its words in every language and shows those of the browser: in the file stands English, the others beside it.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from functools import cache
from html import escape
from importlib.resources import files
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from lookalike.core.errors import LookalikeError
from lookalike.core.languages import ENGLISH, LANGUAGES, number
from lookalike.engine.likeness_words import why_alike, why_kept
from lookalike.engine.sources import open_uri
from lookalike.evaluation.thumbnails import one_line, tile_jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from lookalike.engine.duplicates_report import DuplicateGroup, Member

COMMAND = "lookalike duplicates"
MOST_GROUPS = 500
"""On one page: some 20 MB, which a browser still scrolls."""
BOX = (420, 420)
"""Of a picture in pixels: sharp at half that size on dense screens."""
_FACTS = ("pixels", "format", "bytes", "taken", "folder")


def duplicates_page(
    groups: Iterable[DuplicateGroup], out: Path, *, command: str = COMMAND, most: int = MOST_GROUPS
) -> tuple[int, int]:
    """Write up to `most` groups to `out`; how many were written, and how many left out. Raises OSError.

    `command`: what decisions are listed as, of the collection that the groups are from. An older page stays until this
    one is made: pictures are read for minutes, which a person may cut short.
    """
    page = (files("lookalike.evaluation") / "duplicates_page.html").read_text("utf-8")
    script = page[page.index("<script>") + len("<script>") : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    before, _, behind = page.replace("{digest}", digest).replace("{named}", _text(command)).partition("{groups}")
    written = left_out = 0
    with TemporaryFile("w+", encoding="utf-8", newline="\n") as made:
        made.write(before)
        for group in groups:
            if written == most:
                left_out += 1
                continue
            written += 1
            made.write(_section(written, group))
        made.write(behind)
        made.seek(0)
        with open(out, "w", encoding="utf-8", newline="\n") as stream:
            copyfileobj(made, stream)
    return written, left_out


def _section(place: int, group: DuplicateGroup) -> str:
    sure = "" if group.kind == "same" else f" <small{_said('sure', round(100 * group.sure))}</small>"
    differing = _differing(group.items)
    figures = "\n".join(_figure(place, item, group, differing) for item in group.items)
    return (
        f'<section id="g{place}" data-keep="{_text(group.keep)}" tabindex="-1" aria-labelledby="h{place}">\n'
        f'<h2 id="h{place}"><span class="kind {group.kind}"{_said(group.kind)}</span> '
        f"<span{_in_all(lambda language: why_alike(group.reasons, language))}</span>"
        f'{sure}</h2>\n<div class="items">\n{figures}\n</div>\n</section>\n'
    )


def _figure(place: int, item: Member, group: DuplicateGroup, differing: frozenset[str]) -> str:
    kept = item.id == group.keep
    facts = "".join(
        f"<dt{_said(name)}</dt><dd{' class=differs' if name in differing else ''}{_value(name, value, item)}</dd>"
        for name, value in _facts(item).items()
        if value
    )
    said = _in_all(
        lambda language: (
            _words(language)["kept"].format(why_kept(group.keep_reasons, language))
            if kept
            else why_alike(item.reasons, language)
        )
    )
    return (
        f'<figure data-id="{_text(item.id)}">{_image(item)}<figcaption>'
        f'<b title="{_text(item.uri)}">{_text(_name(item))}</b><p{said}</p><dl>{facts}</dl>'
        f'<label><input type="radio" name="k{place}" value="{_text(item.id)}"{" checked" if kept else ""}>'
        f" <span{_said('keep_this')}</span></label>"
        f'<label><input type="checkbox" value="{_text(item.id)}"> <span{_said("not_same")}</span></label>'
        "</figcaption></figure>"
    )


def _image(item: Member) -> str:
    try:
        with open_uri(item.uri) as stream:
            data = tile_jpeg(stream.read(), BOX)
    except (OSError, LookalikeError):
        data = None
    if data is None:
        return f'<div class="empty"{_said("cannot_be_shown")}</div>'
    encoded = base64.b64encode(data).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{encoded}" alt="{_text(_name(item))}" loading="lazy">'


def _facts(item: Member) -> dict[str, str]:
    taken = str(item.metadata.get("taken", "")) if item.metadata.get("taken_from") != "file time" else ""
    folder = item.uri[: -len(_name(item))].rstrip("/\\")
    pixels = f"{item.width} \N{MULTIPLICATION SIGN} {item.height}" if item.width else ""
    return dict(zip(_FACTS, (pixels, item.format, str(item.size), taken.replace("T", " "), folder), strict=True))


def _value(name: str, value: str, item: Member) -> str:
    """A fact as `_in_all` gives words: languages write bytes in their own way."""
    return _in_all(lambda language: number(language, item.size)) if name == "bytes" else f">{_text(value)}"


def _differing(items: Sequence[Member]) -> frozenset[str]:
    """The facts that are not the same of all items."""
    facts = [_facts(item) for item in items]
    return frozenset(name for name in _FACTS if len({each[name] for each in facts}) > 1)


def _said(name: str, *figures: object) -> str:
    """Words of the page, as `_in_all` gives them."""
    return _in_all(lambda language: _words(language)[name].format(*figures))


def _in_all(said: Callable[[str], str]) -> str:
    """What ends the tag of an element and stands in it: its words in English, the others as attributes of the tag."""
    others = "".join(f' data-{each}="{_text(said(each))}"' for each in LANGUAGES if each != ENGLISH)
    return f"{others}>{_text(said(ENGLISH))}"


@cache
def _words(language: str) -> dict[str, str]:
    text = (files("lookalike.evaluation") / "duplicates_page.toml").read_text("utf-8")
    found: dict[str, str] = tomllib.loads(text)[language]
    return found


def _name(item: Member) -> str:
    return item.uri.replace("\\", "/").rsplit("/", 1)[-1]


def _text(text: str) -> str:
    return escape(one_line(text))
