"""`lookalike demo`: indexing, a question in words and one with a picture, on real photos, in a folder of its own.

The photos are some that scikit-image carries inside its package (extra [demo]), so nothing is downloaded. Everything
the demo writes lies in its output folder.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.options import command, device_option, json_option
from lookalike.cli.outcome import Failed, Interrupted

if TYPE_CHECKING:
    from lookalike.core.records import Hit, Results
    from lookalike.engine.collection import Collection

PHOTOS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "moon.png",
    "motorcycle_right.png",
    "retina.jpg",
    "rocket.jpg",
)
QUERY_PHOTO = "motorcycle_left.png"
"""The other eye's view of one of the photos; not among them, so that it cannot find itself."""
QUESTION = "a cat lying on a blanket"
QUESTIONS = (
    "a cat",
    "a dog",
    "people",
    "the sea",
    "mountains",
    "food on a plate",
    "a house",
    "flowers",
    "a car",
    "snow",
)
"""Asked of a user's own folder, of which nothing is known: the one with the best answer is shown."""
K = 5
RATE_FROM = 100
"""Pictures from which a rate says something: below, it is the start of the processes that is measured."""


@command
@click.argument("folder", metavar="[DIR]", required=False)
@click.option("--out", metavar="DIR", default="lookalike-demo", show_default=True, help="Where everything is written.")
@click.option("--encoder", metavar="NAME", default="builtin", show_default=True, help="The encoder to use.")
@device_option
@json_option
def demo(*, folder: str | None, out: str, encoder: str, device: str, as_json: bool) -> None:
    """See it work on real photos, in a folder of its own.

    Without DIR it takes some photos that come with scikit-image; with DIR, your own, which it only reads.
    """
    from lookalike.cli.index import run_sync
    from lookalike.cli.opening import open_collection

    target = Path(os.path.abspath(os.path.expanduser(out)))
    photos = Path(os.path.expanduser(folder)) if folder else _shipped_photos(target / "photos")
    place = target / f"{photos.resolve().name}.lookalike"
    with open_collection(str(place), encoder=encoder, device=device, create=True) as opened:
        report = run_sync(opened, [str(photos)])
        if report.interrupted:
            raise Interrupted
        if not opened.status()["pictures"]:
            printing.error(f"there are no pictures in {photos}", "give a folder that holds some: lookalike demo DIR")
            raise Failed
        asked = _ask(opened, None if folder else target / QUERY_PHOTO)
    files = _write(target, asked)
    if as_json:
        queries = [results.as_dict() for _, results in asked]
        printing.out_json({"index": report.as_dict(), "queries": queries, **{k: str(v) for k, v in files.items()}})
        return
    took = printing.duration(report.seconds)
    rate = f", {report.encoded / report.seconds:.0f} a second" if report.encoded >= RATE_FROM else ""
    printing.out(f"{printing.count(report.encoded, 'new picture')} encoded in {took}{rate}.")
    _show(asked, files)


def _shipped_photos(folder: Path) -> Path:
    """Copies of scikit-image's photos in `folder`, and the query photo beside it. Raises MissingExtra."""
    from importlib.util import find_spec

    from lookalike.core.errors import MissingExtra

    package = find_spec("skimage")  # found, not imported: only its files are wanted
    if package is None or package.origin is None:
        raise MissingExtra("the demo's photos", "demo")
    data = Path(package.origin).parent / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PHOTOS:
        if (data / name).is_file() and not (folder / name).exists():
            shutil.copyfile(data / name, folder / name)
    shutil.copyfile(data / QUERY_PHOTO, folder.parent / QUERY_PHOTO)
    return folder


def _ask(opened: Collection, photo: Path | None) -> list[tuple[str, Results]]:
    """A title and the answers to a question in words, then to `photo` (None: to the best answer in words)."""
    questions = (QUESTION,) if photo else QUESTIONS
    best = max(opened.search_many(questions, k=K), key=lambda results: results[0].score)
    like = photo or Path(best[0].uri)
    return [(f'Words: "{best.query}"', best), (f"Picture: {like.name}", _like(opened, like))]


def _like(opened: Collection, picture: Path) -> Results:
    """Answers to `picture` without itself."""
    from dataclasses import replace

    found = opened.search(picture, k=K + 1)
    others: list[Hit] = [hit for hit in found if hit.uri != str(picture)][:K]
    return replace(found, hits=tuple(replace(hit, rank=rank) for rank, hit in enumerate(others, start=1)))


def _write(target: Path, asked: list[tuple[str, Results]]) -> dict[str, Path]:
    """The contact sheet and the page; their paths by what they are."""
    from lookalike.evaluation.contact_sheet import contact_sheet
    from lookalike.evaluation.results_page import results_page

    rows = [(title, [(Path(hit.uri), f"{hit.rank}.  {hit.score:.3f}") for hit in results]) for title, results in asked]
    files = {"contact_sheet": target / "contact-sheet.png", "page": target / "results.html"}
    contact_sheet(rows, files["contact_sheet"])
    results_page(rows, files["page"], title="lookalike demo")
    return files


def _show(asked: list[tuple[str, Results]], files: dict[str, Any]) -> None:
    from lookalike.cli.search import show_list

    for title, results in asked:
        answer_ms = results.took_ms["total"] - results.took_ms.get("load", 0.0)
        printing.out()
        printing.out(click.style(f"{printing.printable(title)}   {answer_ms:.0f} ms", bold=True))
        show_list(results)
    printing.out()
    printing.out(f"Contact sheet  {printing.printable(str(files['contact_sheet']))}")
    printing.out(f"Page           {printing.printable(str(files['page']))}")
    printing.note("")
    printing.note("Now your own pictures:")
    printing.note("  lookalike index ~/Pictures")
    printing.note('  lookalike search "a dog in the snow"')
    printing.note("  lookalike search PHOTO.jpg")
