"""`lookalike judge`: judgements by proposing pairs of likely words and asking a person about each."""

from __future__ import annotations

import getpass
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.counting import counting
from lookalike.cli.numbers import any_number, whole_number
from lookalike.cli.options import collection_option, command, device_option, json_option
from lookalike.cli.outcome import Interrupted
from lookalike.cli.settings import collection_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.encoders.sentences import SentenceEncoder
    from lookalike.evaluation.judged_pairs import JudgedPair, JudgedPairs
    from lookalike.evaluation.proposals import Proposal
    from lookalike.evaluation.things import Thing

AUTOMATIC = "auto"


@command
@click.option("--queries", metavar="FILE", help="Questions, one a line, or a CSV file with the column query.")
@click.option("--out", metavar="CSV", default="judgements.csv", show_default=True, help="Where judgements are kept.")
@collection_option
@click.option("--catalogue", metavar="FILE", help="A table of products instead of a collection.")
@click.option("--template", metavar="TEXT", default="", help="The text of an item: '{title}, {category}'.")
@click.option(
    "--sentence-encoder",
    metavar="NAME",
    default=AUTOMATIC,
    show_default=True,
    help="What compares the words: minilm, builtin, a folder.",
)
@click.option(
    "--above", type=any_number(), metavar="LIKENESS", help="Propose from this likeness on.  [default: as measured]"
)
@click.option("--at-most", type=whole_number(1), default=30, show_default=True, help="Proposals for one question.")
@click.option(
    "--yes-above", type=any_number(), metavar="LIKENESS", help="Ask nobody: take these, marked as nobody's word."
)
@click.option("--second", metavar="CSV", help="Ask again what was judged there, to see how far two people agree.")
@click.option("--judge", "judge_name", metavar="NAME", help="Who answers.  [default: your user name]")
@device_option
@json_option
def judge(
    *,
    queries: str | None,
    out: str,
    collection: str | None,
    catalogue: str | None,
    template: str,
    sentence_encoder: str,
    above: float | None,
    at_most: int,
    yes_above: float | None,
    second: str | None,
    judge_name: str | None,
    device: str,
    as_json: bool,
) -> None:
    """Judge which items answer which questions, by saying yes or no to proposals.

    Pairs are proposed whose words are alike: those of the question, and the title or text of the item. What is
    answered is kept at once, and the same command goes on from there. lookalike evaluate reads the file.
    """
    from lookalike.evaluation.judged_pairs import JudgedPairs

    pairs = JudgedPairs(Path(out).expanduser())
    told: dict[str, Any] = {"judgements": os.path.abspath(pairs.path)}
    if second is not None:
        if queries is not None or yes_above is not None:
            raise click.UsageError("--second asks what was judged before: leave out --queries and --yes-above")
        proposals, first = _once_more(Path(second).expanduser(), pairs)
    elif queries is None:
        raise click.UsageError("say what to ask about: --queries FILE")
    else:
        first = None
        asked = _questions(Path(queries).expanduser())
        things = _things(collection, catalogue, template, pairs.path)
        encoder = _sentence_encoder(sentence_encoder, asked, device)
        proposals = _proposals(asked, things, encoder, above if yes_above is None else yes_above, at_most)
        told |= {"encoder": encoder.id, "questions": len(asked), "things": len(things)}
    told |= _answers(proposals, pairs, judge_name or getpass.getuser(), taken_unseen=yes_above is not None)
    told |= _trust(pairs, first)
    if as_json:
        printing.out_json(told)
    else:
        _show(told, _evaluated(pairs.path, collection, catalogue))
    if told["interrupted"]:
        raise Interrupted


def _questions(path: Path) -> list[str]:
    """Each once, in their order. Raises SourceError."""
    from lookalike.core.causes import cause_of
    from lookalike.core.errors import SourceError
    from lookalike.evaluation.judged_tables import read_rows

    if path.suffix.lower() in {".csv", ".tsv"}:
        found = [row["query"] for _, row in read_rows(str(path), ("query",))]
    else:
        try:
            found = [" ".join(line.split()) for line in path.read_text(encoding="utf-8-sig").splitlines()]
        except (OSError, UnicodeError) as error:
            raise SourceError(
                f"{path} cannot be read: {cause_of(error)}", hint="it holds questions in UTF-8, one a line"
            ) from error
    questions = list(dict.fromkeys(each for each in found if each and not each.startswith("#")))
    if not questions:
        raise SourceError(f"{path} holds no questions", hint="write one a line, as people would type them")
    return questions


def _things(collection: str | None, catalogue: str | None, template: str, out: Path) -> list[Thing]:
    from lookalike.engine.text_preparation import TextPreparation
    from lookalike.evaluation.things import things_of_catalogue, things_of_collection

    prepared = TextPreparation(template=template)
    if catalogue is not None:
        if collection is not None:
            raise click.UsageError("give either --catalogue or --collection")
        return things_of_catalogue(catalogue, prepared, out=out)
    return things_of_collection(collection_path(collection), prepared)


def _sentence_encoder(name: str, questions: Sequence[str], device: str) -> SentenceEncoder:
    """The one that was named; else minilm where it is installed and the questions are English, else the built-in."""
    from lookalike.cli.opening import fetch_encoder
    from lookalike.encoders.sentences import MINILM, has_minilm, open_sentence_encoder

    if name == AUTOMATIC:
        is_english = sum(each.isascii() for each in questions) > len(questions) / 2
        name = MINILM if is_english and has_minilm() else "builtin"
    return open_sentence_encoder(name, lambda called: fetch_encoder(called, device))


def _proposals(
    questions: Sequence[str], things: Sequence[Thing], encoder: SentenceEncoder, above: float | None, at_most: int
) -> list[Proposal]:
    from lookalike.evaluation.proposals import PROPOSE, propose

    if above is None and encoder.name not in PROPOSE:
        printing.note(
            f"From which likeness on {encoder.name} is worth a look was not measured: every question gets its "
            f"{at_most} nearest; --above LIKENESS says less."
        )
    least = PROPOSE.get(encoder.name, -1.0) if above is None else above
    printing.note(f"Comparing {printing.count(len(questions), 'question')} with {len(things):,} texts ({encoder.name})")
    progress = counting("comparing texts")
    found = propose(questions, things, encoder, above=least, at_most=at_most, progress=progress)
    without = [question for question, each in zip(questions, found, strict=True) if not each]
    if without:
        number = printing.count(len(without), "question has", "questions have")
        printing.note(f"{number} nothing from {least:.2f} on, such as: {printing.printable(without[0])}")
    return [proposal for each in found for proposal in each]


def _once_more(path: Path, pairs: JudgedPairs) -> tuple[list[Proposal], list[JudgedPair]]:
    """What somebody judged, as proposals by their question, without what was said. Raises SourceError, UsageError."""
    from lookalike.evaluation.judged_pairs import only_person, read_pairs
    from lookalike.evaluation.proposals import Proposal
    from lookalike.evaluation.things import Thing

    if path.resolve() == pairs.path.resolve():
        raise click.UsageError("a second opinion needs a file of its own: --out second.csv")
    first = only_person(read_pairs(path))
    together: dict[tuple[str, str, str], list[JudgedPair]] = {}
    for pair in first:
        together.setdefault((pair.query, pair.text, pair.picture), []).append(pair)
    asked = [
        Proposal(query, Thing(tuple(pair.item for pair in some), picture, text), some[0].likeness)
        for (query, text, picture), some in together.items()
    ]
    return asked, first


def _answers(proposals: Sequence[Proposal], pairs: JudgedPairs, judge: str, *, taken_unseen: bool) -> dict[str, Any]:
    """Ask, or take unseen; what became of the proposals."""
    from lookalike.cli.judging_loop import Asking
    from lookalike.evaluation.judged_pairs import PERSON, PROPOSED

    def is_open(proposal: Proposal) -> bool:
        said = pairs.of(proposal)
        return said is None or (said.source != PERSON and not taken_unseen)

    left = [proposal for proposal in proposals if is_open(proposal)]
    counts = {"proposed": len(proposals), "right": 0, "wrong": 0, "taken": 0, "interrupted": False}
    if taken_unseen:
        pairs.decide(dict.fromkeys(left, True), source=PROPOSED, judge="")
        counts["taken"] = len(left)
    elif left:
        sitting = Asking(left, pairs, judge)
        try:
            sitting.run()
        except KeyboardInterrupt:
            counts["interrupted"] = True
            sys.stderr.write("\n")
        counts |= {"right": sitting.right, "wrong": sitting.wrong}
    return {**counts, "left": sum(map(is_open, proposals)), "pairs": len(pairs)}


def _trust(pairs: JudgedPairs, first: Sequence[JudgedPair] | None) -> dict[str, Any]:
    from lookalike.evaluation.agreement import agreement, bands
    from lookalike.evaluation.judged_pairs import only_person

    mine = only_person(pairs.all())
    agreed = None if first is None else agreement(first, mine)
    return {
        "bands": [band.as_dict() for band in bands(mine)],
        "agreement": None if agreed is None else agreed.as_dict(),
    }


def _show(told: dict[str, Any], next_step: str) -> None:
    """What was done, how the proposals fared by their likeness, and what to type next."""
    done = [f"{told[name]:,} {what}" for name, what in (("right", "right"), ("wrong", "wrong")) if told[name]]
    if told["taken"]:
        done.append(f"{told['taken']:,} taken unseen, as nobody's word")
    left = f"; {told['left']:,} are open, the same command goes on" if told["left"] else ""
    printing.out(f"Of {printing.count(told['proposed'], 'proposal')}: {', '.join(done) or 'none judged now'}{left}.")
    printing.out(f"{printing.printable(told['judgements'])} holds {printing.count(told['pairs'], 'pair')}.")
    if told["bands"]:
        printing.out()
        rows = [
            (
                f"{band['low']:.2f} to {band['high']:.2f}",
                f"{band['judged']:>6,}",
                f"{100 * band['share']:>5.0f} %",
                f"{100 * band['between'][0]:.0f} and {100 * band['between'][1]:.0f} %",
            )
            for band in told["bands"]
        ]
        printing.table(rows, header=("likeness", "judged", "confirmed", "95 % between"))
    if told["agreement"]:
        agreed = told["agreement"]
        kappa = "no kappa: both said one thing only" if agreed["kappa"] is None else f"kappa {agreed['kappa']:.2f}"
        pairs = printing.count(agreed["pairs"], "pair")
        printing.out(f"Of {pairs} judged twice, {100 * agreed['agreed']:.0f} % were judged alike ({kappa}).")
    if told["pairs"] and not told["agreement"]:
        printing.note(f"Next: {next_step}")


def _evaluated(out: Path, collection: str | None, catalogue: str | None) -> str:
    where = "" if catalogue else f" --collection {shlex.quote(str(collection or collection_path(None)))}"
    return f"lookalike evaluate {shlex.quote(str(out))}{where}"
