"""`lookalike index`: pictures into the collection, with progress, and a summary of what changed."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.catalogue_options import catalogue_options, read_options, show_catalogue
from lookalike.cli.options import collection_option, command, device_option, json_option
from lookalike.cli.outcome import Interrupted
from lookalike.cli.settings import collection_path, remote_address
from lookalike.cli.sharding_options import read_sharding, sharding_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.core.records import Skipped
    from lookalike.engine.any_collection import AnyCollection
    from lookalike.engine.given_vectors import Embeddings
    from lookalike.engine.reports import ShardReport, SyncReport
    from lookalike.engine.sharding import Sharding
    from lookalike.images.catalogue_plan import CatalogueOptions

NO_FOLDERS = "nothing is indexed yet; say what to take in, like: lookalike index ~/Pictures"
EXAMPLE_WIDTH = 70
NODE_SHOWN = 8
"""Characters of a node's id."""
REASONS_SHOWN = 5
"""Reasons for skipping named in the summary; `lookalike failures` has them all."""


@command
@click.argument("paths", nargs=-1)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave these out (.gitignore syntax); repeatable.")
@click.option("--encoder", metavar="NAME", help="The encoder for a new collection.  [default: builtin]")
@device_option
@click.option("--check-content", is_flag=True, help="Also find changes that kept a file's size and time.")
@click.option("--retry-failed", is_flag=True, help="Try files again that failed before and have not changed.")
@click.option("--embeddings", metavar="FILE", help="Vectors of a catalogue's pictures, .npy, .pkl or .parquet.")
@click.option("--embeddings-key", metavar="NAME", help="The column of FILE that says whose each vector is.")
@click.option("--explain", is_flag=True, help="Say how searches are served from now on, and why.")
@click.option("--no-index-build", is_flag=True, help="Leave building the search index to a later run.")
@sharding_options
@catalogue_options
@collection_option
@json_option
def index(
    *,
    paths: tuple[str, ...],
    exclude: tuple[str, ...],
    encoder: str | None,
    device: str,
    check_content: bool,
    retry_failed: bool,
    embeddings: str | None,
    embeddings_key: str | None,
    explain: bool,
    no_index_build: bool,
    on: str | None,
    workers: int | None,
    gpus: float,
    shards: str | None,
    collection: str | None,
    as_json: bool,
    **columns: Any,
) -> None:
    """Take pictures into the collection, or bring it up to date.

    PATHS are folders or pictures, catalogues (.csv, .tsv, .jsonl, .parquet), archives (.tar, tars:FOLDER) or object
    storage (s3://BUCKET/PREFIX); without any, all that were indexed before are looked through again.
    An unchanged file costs one look at its size and time; a moved or copied one is not encoded again (by shards it is).
    With --embeddings nothing is encoded and no picture read: the vectors of a catalogue are in FILE.
    With --on or --shards pictures are encoded shard by shard, here or on Ray; finished shards outlive whatever ends
    the run.
    """
    from lookalike.cli.opening import open_any_collection

    catalogue = read_options(**columns)
    sharding = read_sharding(on=on, workers=workers, gpus=gpus, shards=shards, device=device, collection=collection)
    if remote_address(collection) is None and not collection_path(collection).exists():
        _refuse_nothing(paths)
    given = _given(embeddings, embeddings_key, encoder, device)
    if given is not None and sharding is not None:
        raise click.UsageError("--embeddings encodes nothing; leave --on and --shards out")
    with open_any_collection(collection, encoder=None if given else encoder, device=device, create=True) as opened:
        if not paths and not opened.status()["roots"]:
            raise click.UsageError(NO_FOLDERS)
        report = run_sync(
            opened,
            paths,
            exclude=exclude,
            check_content=check_content,
            retry_failed=retry_failed,
            catalogue=catalogue,
            embeddings=given,
            sharding=sharding,
            build_index=not no_index_build,
        )
        if as_json:
            printing.out_json(report.as_dict())
        else:
            for read in report.catalogues if paths else ():
                show_catalogue(read)
            _summarise(report, opened, collection, explain=explain)
    if report.interrupted or (report.index is not None and report.index.interrupted):
        raise Interrupted


def _given(file: str | None, names_in: str | None, encoder: str | None, device: str) -> Embeddings | None:
    """The vectors that the options name, by the encoder that is then theirs."""
    if file is None:
        if names_in is not None:
            raise click.UsageError("--embeddings-key goes with --embeddings FILE")
        return None
    from lookalike.cli.opening import maker_of
    from lookalike.engine.given_vectors import Embeddings

    return Embeddings(file, names_in, None if encoder is None else maker_of(encoder, device))


def run_sync(
    opened: AnyCollection,
    paths: Sequence[str],
    *,
    exclude: Sequence[str] = (),
    check_content: bool = False,
    retry_failed: bool = False,
    catalogue: CatalogueOptions | None = None,
    embeddings: Embeddings | None = None,
    sharding: Sharding | None = None,
    build_index: bool = True,
) -> SyncReport:
    """Bring `opened` up to date while showing progress; Ctrl-C ends it soon with what is done kept."""
    from lookalike.cli.interrupt import stop_on_interrupt
    from lookalike.cli.progress import display
    from lookalike.engine.reports import Progress, SyncReport

    other_voices = nullcontext() if sharding is None else redirect_stdout(sys.stderr)  # Ray tells of lost workers
    with stop_on_interrupt() as stop, display() as shown, other_voices:
        events = opened.sync(
            paths,
            exclude=exclude or None,
            check_content=check_content,
            retry_failed=retry_failed,
            catalogue=catalogue,
            embeddings=embeddings,
            sharding=sharding,
            index="now" if build_index else "later",
            stop=stop,
        )
        for event in events:
            if isinstance(event, Progress):
                shown.show(event)
            elif isinstance(event, SyncReport):
                return event
    raise AssertionError("a sync ends with its report")


def _refuse_nothing(paths: Sequence[str]) -> None:
    if not paths:
        raise click.UsageError(NO_FOLDERS)
    refuse_missing(paths)


def refuse_missing(paths: Sequence[str]) -> None:
    """Say so before an empty collection is made. In one that exists a missing path may be an unplugged disk."""
    from lookalike.core.errors import SourceError
    from lookalike.engine.sources import place_of, root_address

    places = {path: place_of(root_address(os.path.expanduser(os.fsencode(path)))) for path in paths}
    missing = [path for path, place in places.items() if place is not None and not os.path.lexists(place)]
    if missing:
        raise SourceError(f"there is no file or folder {missing[0]}", hint="check the path; nothing was indexed")


def _summarise(report: SyncReport, opened: AnyCollection, given: str | None, *, explain: bool) -> None:
    """What changed, what was not taken, and what to type next; `given`: how the collection was named.

    `explain`: say last how searches are served.
    """
    from lookalike.engine.exchange import IMPORTED

    state = opened.status()
    changed = list(changes(report))
    verb = "Stopped after" if report.interrupted else "Done in"
    printing.out(f"{verb} {printing.duration(report.seconds)}: {', '.join(changed) or 'nothing changed'}.")
    pictures = state.get("pictures", state["items"])  # an engine elsewhere counts places only
    printing.out(f"The collection holds {printing.count(pictures, 'picture')}: {printing.printable(opened.place)}")
    if report.shards:
        printing.out(f"Encoded in {printing.count(len(report.shards), 'shard')}: {made_where(report.shards)}.")
    if report.index is not None and report.index.built:
        printing.out(f"Searching is faster from now on: an index took {printing.duration(report.index.seconds)}.")
    if report.skipped:
        _say_skipped(report.skipped)
    if report.offline:
        offline = printing.count(report.offline, "picture is", "pictures are")
        printing.note(f"{offline} on disks or folders that are not there now and kept; lookalike prune forgets them.")
    where = f" --collection {shlex.quote(given)}" if given else ""
    if report.interrupted or (report.index is not None and report.index.interrupted):
        printing.note("What is done is kept; the same command goes on from here.")
    elif state["encoder"] == IMPORTED:
        printing.note(f"Next: lookalike search item:ID{where} (with --encoder NAME, words and pictures could be asked)")
    elif pictures:
        printing.note(f'Next: lookalike search "a dog in the snow"{where} (or a PHOTO.jpg instead of words)')
    if explain:
        printing.out(f"Searching: {opened.explain_index()}.")


def changes(report: SyncReport) -> Iterator[str]:
    """What a run changed, in words."""
    for name in ("added", "changed", "moved", "removed"):
        if number := getattr(report, name):
            yield f"{number:,} {name}"
    if report.skipped:
        yield f"{len(report.skipped):,} skipped"


def made_where(shards: Sequence[ShardReport]) -> str:
    """How many shards each node made."""
    from lookalike.engine.shard_encoding import HERE

    counts = Counter(shard.node[:NODE_SHOWN] for shard in shards)
    return ", ".join(f"{number} on {node}" if node != HERE else f"{number} here" for node, number in counts.items())


def _say_skipped(skipped: Sequence[Skipped]) -> None:
    """The commonest reasons, each with one example."""
    printing.note(f"{printing.count(len(skipped), 'file was', 'files were')} skipped (lookalike failures lists all):")
    groups = by_reason(skipped)
    for reason, members in groups[:REASONS_SHOWN]:
        printing.note(f"{len(members):>7,}  {printing.printable(reason)}")
        printing.note(f"         {printing.shortened(printing.printable(members[0].uri), EXAMPLE_WIDTH)}")
    if len(groups) > REASONS_SHOWN:
        printing.note(f"         and {printing.count(len(groups) - REASONS_SHOWN, 'more reason')}")


def by_reason(entries: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """Entries with a `code` and a `reason`, grouped by code, the largest group first; each under its first reason."""
    groups: dict[str, list[Any]] = {}
    for entry in entries:
        groups.setdefault(entry.code, []).append(entry)
    return sorted(((members[0].reason, members) for members in groups.values()), key=lambda group: -len(group[1]))
