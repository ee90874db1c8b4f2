"""A run as a report: what was found in a sentence, every figure, why questions fail, and the pictures to see it by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.evaluation.figures import (
    comparison_table,
    figures_table,
    found_plot,
    headline,
    intervals_plot,
    shown,
    verdict,
)
from lookalike.evaluation.outcomes import OUTCOMES
from lookalike.evaluation.question_table import question_rows
from lookalike.evaluation.questions import WAY_NAMES
from lookalike.evaluation.report import Report, Section, Table, Text
from lookalike.evaluation.run_sheets import Sheets, Side
from lookalike.evaluation.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.evaluation.evaluate import Run
    from lookalike.evaluation.questions import Way
    from lookalike.evaluation.report import Part

LISTED = 500
"""Questions in the table of the page; the CSV file has all of them."""


def report_of(run: Run, names: Sequence[str]) -> Report:
    """The report of a run. `names`: what each encoder is called in it."""
    sections = [Section("In short", tuple(_summary(run, names)))]
    sections += [
        Section(_way(run, way), tuple(_parts(run, way, sides)))
        for way in run.asked
        if (sides := sides_of(run, way, names))
    ]
    return Report(f"How well {_listed(names)} {'find' if len(names) > 1 else 'finds'}", tuple(sections), _about(run))


def sides_of(run: Run, way: Way, names: Sequence[str]) -> list[Side]:
    """The encoders that were asked in this way and had a question to answer."""
    found = []
    for name, evaluation in zip(names, run.evaluations, strict=True):
        measured = evaluation.measured(way)
        if measured is not None and measured.queries:
            found.append(Side(name, measured, evaluation.outcomes[way]))
    return found


def verdicts(run: Run, names: Sequence[str]) -> Iterator[str]:
    """For every way of asking and every encoder but the first, whether it finds better, in a sentence."""
    for way in run.asked:
        sides = sides_of(run, way, names)
        for other in sides[1:]:
            told = verdict(sides[0].name, sides[0].measured, other.name, other.measured, run.seed)
            yield f"{_way(run, way)}: {told}"


def doubts(run: Run) -> Iterator[str]:
    """What to know about the judgements before a figure is believed, in sentences."""
    unconfirmed = run.judgements.origin.get("unconfirmed")
    if unconfirmed:
        yield (
            f"{unconfirmed} were taken by the likeness of their words, and nobody looked at them: these figures say "
            "how well words and pictures agree, not how well people are served."
        )


def _summary(run: Run, names: Sequence[str]) -> Iterator[Part]:
    for sentence in verdicts(run, names):
        yield Text(sentence, strong=True)
    first = run.evaluations[0]
    for way in run.asked:
        for side in sides_of(run, way, names)[:1]:
            metric = headline(side.measured)
            low, high = (side.measured.intervals(run.seed) or {})[metric]
            value = float(side.measured.values[metric].mean())
            yield Text(
                f"{_way(run, way)}: {metric} of {side.name} is {shown(metric, value)}, with 95 % confidence between "
                f"{shown(metric, low)} and {shown(metric, high)}, over {side.measured.queries:,} questions to "
                f"{first.pictures:,} pictures.",
                strong=len(names) == 1,
            )
    for doubt in doubts(run):
        yield Text(doubt)
    if first.skipped:
        some = first.skipped[0]
        yield Text(f"{len(first.skipped):,} could not be used and are left out, such as {some.uri}: {some.reason}.")


def _parts(run: Run, way: Way, sides: Sequence[Side]) -> Iterator[Part]:
    measured = {side.name: side.measured for side in sides}
    first, *others = sides
    yield figures_table(measured, run.seed)
    for other in others:
        yield comparison_table(first.name, first.measured, other.name, other.measured, run.seed)
    yield intervals_plot(measured, run.seed)
    yield found_plot(measured, run.asked[way].items)
    yield _outcome_table(sides)
    sheets = Sheets(run, way)
    for other in others:
        yield from sheets.changed(first, other)
    for side in sides:
        yield from sheets.extremes(side)
    yield _question_table(run, way, sides)


def _outcome_table(sides: Sequence[Side]) -> Table:
    rows = []
    for outcome, meaning in OUTCOMES.items():
        counts = [side.outcomes.count(outcome) for side in sides]
        if any(counts):
            totals = [len(side.outcomes) for side in sides]
            cells = [f"{n:,} ({100 * n / total:.0f} %)" for n, total in zip(counts, totals, strict=True)]
            rows.append((outcome, meaning, *cells))
    header = ("outcome", "meaning", *(side.name for side in sides))
    return Table(header, tuple(rows), "What became of the questions", names=2)


def _question_table(run: Run, way: Way, sides: Sequence[Side]) -> Table:
    """The questions by how they went with the first encoder, worst first; figures of all encoders."""
    first = sides[0].measured
    metric = headline(first)
    listed = [list(question_rows(run, evaluation, way)) for evaluation in run.evaluations]
    rows = []
    for position in np.lexsort((-first.first, first.values[metric]))[:LISTED].tolist():
        each = [rows_of[position] for rows_of in listed if rows_of]
        cells = [cell for row in each for cell in (shown(metric, row.values[metric]), f"{row.first:,}", row.outcome)]
        words = each[0].asked if run.asked[way].pictures is None else _end(each[0].asked)
        rows.append((words, f"{each[0].relevant:,}", *cells))
    heads = [cell for side in sides for cell in (f"{metric} {side.name}", "first right", "outcome")]
    note = f"The {LISTED} that went worst; --per-query writes all {first.queries:,}." if first.queries > LISTED else ""
    return Table(("asked", "right ones", *heads), tuple(rows), "Every question", note, folded=True)


def _end(address: str) -> str:
    """The file and its folder: enough to know it by."""
    return "/".join(address.replace("\\", "/").split("/")[-2:])


def _about(run: Run) -> dict[str, str]:
    about = {f"judgements, {key}": value for key, value in run.judgements.origin.items()}
    for number, evaluation in enumerate(run.evaluations, start=1):
        about[f"encoder {number}" if len(run.evaluations) > 1 else "encoder"] = evaluation.encoder
    return about | {"seed": str(run.seed)} | versions()


def _way(run: Run, way: Way) -> str:
    name = WAY_NAMES[way, run.judgements.kind]
    return name[:1].upper() + name[1:]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
