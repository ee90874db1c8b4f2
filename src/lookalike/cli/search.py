"""`lookalike search`: a question in words or with a picture, answers as a list, JSON, paths, pictures or copies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import click

from lookalike.cli import printing
from lookalike.cli.numbers import any_number, whole_number
from lookalike.cli.options import collection_option, command, device_option, json_option
from lookalike.core.records import Mode

if TYPE_CHECKING:
    from lookalike.core.records import Hit, Results

QUERY_WIDTH = 36
K = 10
"""Answers unless told otherwise: a screenful."""
FIRST_PAGE = "start"


@command
@click.argument("query", nargs=-1, required=True)
@click.option("-k", "k", type=whole_number(1), default=K, metavar="N", show_default=True, help="How many answers.")
@click.option("--in", "folder", metavar="DIR", help="Only pictures below this folder.")
@click.option("--where", metavar="FILTER", help="Only what meets a filter: 'price < 50 and taken >= 2024-05'.")
@click.option("--sort", "order", metavar="FIELDS", default="", help="In the order of fields: 'taken desc, price'.")
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    default="auto",
    show_default=True,
    help="By what the pictures mean, by the words in titles, names and tags, or by both.",
)
@click.option(
    "--min-relevance",
    type=any_number(0, 1),
    metavar="CHANCE",
    help="Leave out what is less likely right; 0 shows all.  [default: 0.3, with --json and paths 0]",
)
@click.option("--variety", type=any_number(0, 1), default=0.0, metavar="SHARE", help="How much answers differ.")
@click.option("--like", multiple=True, metavar="ITEM", help="More like this answer; may be repeated.")
@click.option("--unlike", multiple=True, metavar="ITEM", help="Less like this answer; may be repeated.")
@click.option("--group-by", metavar="FIELD", help="One answer for all that share a value; '' for every picture.")
@click.option("--after", metavar="CURSOR", help="The page behind: the \"next\" of --json; 'start' for the first.")
@click.option("--text", "as_text", is_flag=True, help="QUERY is words, even if a file has that name.")
@click.option("--image", "as_picture", is_flag=True, help="QUERY is a picture.")
@click.option("--allow-url", is_flag=True, help="QUERY may be the address of a picture on the web.")
@click.option("--allow-private-url", is_flag=True, help="... also on this computer or in the local network.")
@click.option("--all-copies", is_flag=True, help="Every place of a picture is an answer of its own.")
@click.option("--paths", "only_paths", is_flag=True, help="Print only paths, one a line.")
@click.option("-0", "null", is_flag=True, help="Print only paths, each ended by NUL, for xargs -0.")
@click.option("--preview", is_flag=True, help="Show the pictures in the terminal, where it can.")
@click.option("--copy-to", metavar="DIR", help="Copy the pictures found into this folder.")
@click.option("--link-to", metavar="DIR", help="Make links to the pictures found in this folder.")
@click.option("--explain", is_flag=True, help="Say how the answers were found, and why so.")
@device_option
@collection_option
@json_option
def search(
    *,
    query: tuple[str, ...],
    k: int,
    min_relevance: float | None,
    after: str | None,
    as_text: bool,
    as_picture: bool,
    allow_url: bool,
    allow_private_url: bool,
    only_paths: bool,
    null: bool,
    preview: bool,
    copy_to: str | None,
    link_to: str | None,
    explain: bool,
    device: str,
    collection: str | None,
    as_json: bool,
    **options: Any,  # named as SearchOptions names them
) -> None:
    """Find pictures with words or with a picture.

    QUERY is words, the path of a picture, - for a picture on standard input, or with --allow-url its address; or
    several of these with + and - between them: dog + ./beach.jpg - people.
    """
    from lookalike.cli.opening import open_any_collection
    from lookalike.cli.query_argument import read_query
    from lookalike.images.fetch import fetch_picture

    if copy_to and link_to:
        raise click.UsageError("--copy-to and --link-to are two ways of one thing: give one of them")
    fetch = partial(fetch_picture, allow_private=allow_private_url) if allow_url or allow_private_url else None
    asked = read_query(query, as_text=as_text, as_picture=as_picture, fetch=fetch)
    for_people = not (as_json or only_paths or null)
    options["min_relevance"] = "usual" if min_relevance is None and for_people else min_relevance
    with open_any_collection(collection, device=device) as opened:
        if after is None:
            results = opened.search(asked, k, **options)
        else:
            results = opened.search_page(asked, k, after=None if after == FIRST_PAGE else after, **options)
        if as_json:
            printing.out_json(results.as_dict())
        elif only_paths or null:
            printing.write_paths([hit.uri for hit in results], null=null)
        else:
            show_list(results)
            _say_how(results, k)
        if explain and not as_json:
            _explain(results)
    if preview and not as_json:
        from lookalike.cli.preview import show_pictures

        show_pictures(results)
    if copy_to or link_to:
        from lookalike.cli.gather import gather

        gather(results, copy_to or link_to or "", link=bool(link_to))


def show_list(results: Results) -> None:
    """One line a hit: rank, score, path (its middle left out where the terminal is too narrow), size in pixels."""
    width = printing.columns()
    ranks = len(str(len(results)))
    ends = [_pixels(hit) for hit in results]
    end_width = max(map(len, ends), default=0)
    for hit, end in zip(results, ends, strict=True):
        sure = "" if hit.relevance is None else f"{hit.relevance:4.0%}  "
        front = f"{hit.rank:>{ranks}}  {hit.score:.3f}  {sure}"
        path = printing.printable(hit.uri)
        if width is None:
            printing.out(f"{front}{path}  {end}".rstrip())
            continue
        room = width - len(front) - end_width - 2
        path = printing.padded(printing.shortened(path, room), room)
        printing.out(f"{front}{path}  {click.style(end.rjust(end_width), dim=True)}")


def _pixels(hit: Hit) -> str:
    words = [f"{hit.width}x{hit.height}"] if hit.width else []
    if hit.metadata.get("offline"):
        words.append("offline")
    if copies := hit.metadata.get("copies"):
        words.append(f"+{len(copies)}")
    return " ".join(words)


def _explain(results: Results) -> None:
    """The plan and where the time went, on standard error beside any output."""
    plan = results.plan
    effort = "" if plan.effort is None else f" (effort {plan.effort}, {plan.fetch} candidates)"
    printing.note(f"plan: {plan.strategy}{effort}: {plan.reason}")
    printing.note("time: " + ", ".join(f"{stage} {value:.1f} ms" for stage, value in results.took_ms.items()))


def _say_how(results: Results, k: int) -> None:
    query = printing.shortened(printing.printable(results.query), QUERY_WIDTH)
    if not results.hits:
        if results.cut:
            printing.note(f"Nothing relevant to {query}. The nearest all the same: --min-relevance 0")
        else:
            printing.note("Nothing found; lookalike status shows what the collection holds.")
        return
    total_ms = results.took_ms.get("total", 0.0)
    less = "; what is less relevant is left out (--min-relevance 0)" if results.cut and len(results) < k else ""
    printing.note(f"{query}: {total_ms:.0f} ms, {results.plan.reason}{less}", dim=True)
    if results.next:
        printing.note(f"The next page: --after {results.next}")
