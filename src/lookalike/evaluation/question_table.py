"""Every question of a run with its own figures: a table for people who look for what went wrong, and for programs."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lookalike.evaluation.evaluate import Evaluation, Run
    from lookalike.evaluation.questions import Way


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question asked of one encoder. `position`: among the measured ones of its way.

    `asked`: the words, or the address of the picture. `first`: rank of the first right answer of `relevant` right ones.
    `answer` and `right`: the addresses of the first answer and of the best right one.
    """

    way: Way
    encoder: str
    position: int
    asked: str
    first: int
    relevant: int
    outcome: str
    answer: str
    right: str
    values: dict[str, float]


def question_rows(run: Run, evaluation: Evaluation, way: Way) -> Iterator[QuestionRow]:
    """The questions of one way, in their order; none where the encoder was not asked so."""
    measured = evaluation.measured(way)
    if measured is None:
        return
    asked, pictures = run.asked[way], run.pictures
    for position, query in enumerate(measured.asked.tolist()):
        words = asked.words[query] if asked.pictures is None else pictures[int(asked.pictures[query])].asset.uri
        yield QuestionRow(
            way,
            evaluation.encoder,
            position,
            words,
            int(measured.first[position]),
            int(measured.relevant[position]),
            evaluation.outcomes[way][position],
            pictures[int(measured.answers[position, 0])].asset.uri,
            pictures[int(measured.best[position])].asset.uri,
            {name: float(values[position]) for name, values in measured.values.items()},
        )


def write_question_table(run: Run, path: Path) -> None:
    """Write all questions of all encoders to a CSV file in UTF-8. Raises OSError."""
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        writer = csv.writer(stream)
        header: list[str] = []
        for way in run.asked:
            for evaluation in run.evaluations:
                for row in question_rows(run, evaluation, way):
                    if not header:
                        header = ["way", "encoder", "query", "first_right", "relevant", "outcome"]
                        header += ["first_answer", "best_right", *row.values]
                        writer.writerow(header)
                    figures = ["" if math.isnan(value) else f"{value:.6f}" for value in row.values.values()]
                    texts = [row.way, row.encoder, row.asked, row.first, row.relevant, row.outcome]
                    writer.writerow([*texts, row.answer, row.right, *figures])
