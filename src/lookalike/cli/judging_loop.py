"""Asking a person, pair by pair: one key an answer, everything on disk before the next question."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookalike.cli import printing
from lookalike.cli.keys import keys
from lookalike.evaluation.judged_pairs import PERSON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.evaluation.judged_pairs import JudgedPair, JudgedPairs
    from lookalike.evaluation.proposals import Proposal

KEYS = {
    "y": "yes",
    "n": "no",
    "s": "skipped",
    "u": "undo",
    "o": "on",
    "p": "picture",
    "q": "quit",
}
_PROMPT = "right? (y)es (n)o (s)kip (u)ndo (o)n (p)icture (q)uit: "
_INDENT = " " * 8


@dataclass(slots=True)
class Asking:
    """One sitting. `asked`: the open proposals, question by question; `judge`: who answers."""

    asked: Sequence[Proposal]
    pairs: JudgedPairs
    judge: str
    right: int = 0
    wrong: int = 0
    _at: int = 0
    _done: list[tuple[int, JudgedPair | None, bool]] = field(default_factory=list)
    """Position, what was said before, and the answer, of every decision of this sitting."""
    _keys: Iterator[str] = field(default_factory=lambda: iter(()))

    def run(self) -> None:
        """Ask until all is answered or the person has had enough. What was answered is on disk. Raises OSError."""
        with keys() as self._keys:
            self._ask()

    def _ask(self) -> None:
        shown = None
        while self._at < len(self.asked):
            proposal = self.asked[self._at]
            if proposal.question != shown:
                shown = proposal.question
                self._show_question(shown)
            self._show(proposal)
            key = self._key()
            if key == "q":
                return
            if key == "p":
                _show_picture(proposal)
            elif key == "u":
                self._undo()
            elif key == "o":
                while self._at < len(self.asked) and self.asked[self._at].question == shown:
                    self._at += 1
            else:
                if key in "yn":
                    self._decide(proposal, right=key == "y")
                self._at += 1

    def _decide(self, proposal: Proposal, *, right: bool) -> None:
        self._done.append((self._at, self.pairs.of(proposal), right))
        self.pairs.decide({proposal: right}, source=PERSON, judge=self.judge)
        self._count(right=right, by=1)

    def _undo(self) -> None:
        if not self._done:
            printing.note(f"{_INDENT}nothing to undo")
            return
        self._at, before, right = self._done.pop()
        self.pairs.undo(self.asked[self._at], before)
        self._count(right=right, by=-1)

    def _count(self, *, right: bool, by: int) -> None:
        if right:
            self.right += by
        else:
            self.wrong += by

    def _show_question(self, question: str) -> None:
        questions = list(dict.fromkeys(each.question for each in self.asked))
        place = f"question {questions.index(question) + 1:,} of {len(questions):,}"
        text = printing.printable(question)
        gap = shutil.get_terminal_size((printing.WIDTH, 24)).columns - len(place) - printing.display_width(text)
        printing.note("")
        for line in [text + " " * gap + place] if gap > 0 else [text, place]:
            printing.note(line)

    def _show(self, proposal: Proposal) -> None:
        width = shutil.get_terminal_size((printing.WIDTH, 24)).columns - len(_INDENT)
        text = printing.printable(proposal.thing.text)
        printing.note(f"  {proposal.likeness:.2f}  {text[: 3 * width]}")
        printing.note(f"{_INDENT}{printing.shortened(printing.printable(proposal.thing.uri), width)}", dim=True)

    def _key(self) -> str:
        """The key of an answer: of a terminal a key, of a file or pipe the first letter of a line, at its end q."""
        while True:
            sys.stderr.write(f"  {self._at + 1:,}/{len(self.asked):,} {_PROMPT}")
            sys.stderr.flush()
            key = next(self._keys, "q").lower()
            sys.stderr.write(f"{KEYS.get(key, '?')}\n")
            if key in KEYS:
                return key


def _show_picture(proposal: Proposal) -> None:
    from lookalike.cli.preview import show_pictures
    from lookalike.core.errors import MissingExtra
    from lookalike.core.records import Hit

    try:
        show_pictures([Hit(1, proposal.likeness, None, proposal.thing.items[0], proposal.thing.uri, None, None)])
    except MissingExtra as error:
        printing.error(str(error), error.hint)
