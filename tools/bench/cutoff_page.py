"""The figures of the relevance cut-off as a page: docs/benchmarks/cutoff.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from cutoff_fit import kept, separation, share, shown, threshold

from lookalike.engine.relevance import DEFAULT_MIN_RELEVANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cutoff_cases import Case
    from cutoff_fit import Value

RELEVANCE = "relevance"
OTHERS = "relevance, others' weights"
LEVELS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
BINS = 10
KINDS = {
    "en": "names, English",
    "ru": "names, Russian",
    "uk": "names, Ukrainian",
    "phrase": '"a photo of a ..."',
    "thing": "things in photos of people's lives",
    "stranger": "strange things, asked of such photos",
    "caption": "captions",
    "picture": "pictures",
}
MODES = {
    "few": "one to three kinds of things",
    "one set": "one set",
    "mixed": "several sets",
    "filter": "under a filter",
    "all": "all sets together",
}
INTRODUCTION = """# The relevance cut-off, measured

Written by `tools/bench/cutoff.py`. A search always has nearest pictures; [relevance](../relevance.md) is the chance
that an answer is right, and below {default} it is not shown in the terminal. **Kept**: questions for something that
is there and among the first ten answers, of which at least one right answer stays. **Nothing**: questions for
something that is not there, answered with nothing. Aimed at: kept >= 90 %, nothing >= 80 %.

Collections are drawn at random from photos that no encoder was trained on: Caltech-101 (even half), Imagenette,
Imagewoof, PACS, sea animals, flowers, scenes, rubbish, cars, fashion, with a part of the classes left out; under a
filter the answers are limited to some classes, and half of the questions are for what the collection has elsewhere.
Weights come from half of Caltech's classes, PACS, sea animals, scenes and rubbish; all figures are of the other half
of Caltech's classes and the other sets. Pictures of the same kind as what is asked for (a spaniel for "beagle") are
left out, as nobody could say whether they are right; "its kind is there" leaves them in. Captions are those of
flickr-1k, where only the own photo counts as right. Things in photos of people's lives (`cutoff_things.tsv`: people,
water, a dog running) are asked of flickr-1k, where a photo of which two captions tell it is right, and of collections
without any; strange things are names asked of flickr-1k. An encoder is asked in the languages it understands. In
brackets: 95 % intervals, bootstrap over what was asked.

Weights were fitted on the tuning part alone; which facts they weigh, the sentence among them, and the cut were chosen
with figures of the other part in view, so these are somewhat kind.

Before things of people's lives were asked, weights fitted without them kept 35 to 45 % of these: "people" and "water"
were answered with nothing. Names were then kept in 86 % and absent ones answered with nothing in 79 % at 0.2. What is
usual for a question's words (`engine/familiarity.py`: a network foretells the cosine of the ten nearest among 139,046
photos; R2 0.74 on words held out, 0.70 with 128 components) raised the separation of all words from 0.80 to 0.88.
"""


def page(measured: Mapping[str, tuple[Sequence[Case], Sequence[Case]]]) -> str:
    parts = [INTRODUCTION.format(default=DEFAULT_MIN_RELEVANCE)]
    for name, (tune, test) in measured.items():
        parts += [f"## {name}", "", *_by_question(test), "", *_by_collection(test), ""]
        parts += [*_beside_others(tune, test), "", *_levels(test), "", *_reliability(test), ""]
    return "\n".join(parts).rstrip() + "\n"


def _value(name: str) -> Value:
    return lambda case: case.measures[name]


def _row(title: str, test: Sequence[Case], value: Value, least: float) -> str:
    best, asked = kept(test, value)
    figures = [_percent(share(best >= least, asked))]
    for state in ("absent", "filtered", "near"):
        values, about = shown(test, value, state)
        figures.append(_percent(share(values < least, about)))
    count = sum(case.state == "present" for case in test)
    first = f"{100 * len(best) / count:.0f}" if count else ""
    return f"| {title} | {len(test):,} | {first} | {' | '.join(figures)} |"


def _by_question(test: Sequence[Case]) -> Iterator[str]:
    yield (
        "| asked with | questions | right among ten, % | kept, % | nothing, % | nothing, though elsewhere, % "
        "| nothing, though its kind is there, % |"
    )
    yield "|---|---|---|---|---|---|---|"
    words = [case for case in test if case.is_words]
    names = [case for case in words if case.kind != "caption"]
    for title, some in (("**all words**", words), ("all but captions", names)):
        yield _row(title, some, _value(RELEVANCE), DEFAULT_MIN_RELEVANCE)
    for kind, title in KINDS.items():
        shown_as = f"**{title}**" if kind == "picture" else title
        some = [case for case in test if case.kind == kind]
        if some:
            yield _row(shown_as, some, _value(RELEVANCE), DEFAULT_MIN_RELEVANCE)


def _by_collection(test: Sequence[Case]) -> Iterator[str]:
    yield "| collection | pictures | names: kept, % | nothing, % | pictures: kept, % | nothing, % |"
    yield "|---|---|---|---|---|---|"
    for mode, title in MODES.items():
        some = [case for case in test if case.mode == mode and case.kind != "caption"]
        sizes = sorted(case.size for case in some)
        figures = []
        for words in (True, False):
            these = [case for case in some if case.is_words == words]
            best, asked = kept(these, _value(RELEVANCE))
            values, about = shown(these, _value(RELEVANCE), "absent")
            figures += [
                _percent(share(best >= DEFAULT_MIN_RELEVANCE, asked)),
                _percent(share(values < DEFAULT_MIN_RELEVANCE, about)),
            ]
        yield f"| {title} | {sizes[len(sizes) // 20]:,} - {sizes[-1]:,} | {' | '.join(figures)} |"


def _beside_others(tune: Sequence[Case], test: Sequence[Case]) -> Iterator[str]:
    """Each measure with the threshold that keeps 90 % on the tuning part."""
    yield "Other ways, each with the threshold that keeps 90 % of the tuning part. Separation: the chance that a"
    yield "question with a right answer has a better value than one for something absent."
    yield ""
    yield "| measure | words: separation | kept, % | nothing, % | pictures: separation | kept, % | nothing, % |"
    yield "|---|---|---|---|---|---|---|"
    yield "| none: the first ten are always shown | | 100 | 0 | | 100 | 0 |"
    names = [name for name in test[0].measures if name not in (RELEVANCE, OTHERS)]
    for name in [*names, *([OTHERS] if OTHERS in test[0].measures else []), RELEVANCE]:
        figures = []
        for words in (True, False):
            fitted, these = ([case for case in part if case.is_words == words] for part in (tune, test))
            least = threshold(fitted, _value(name if name != OTHERS else RELEVANCE), 0.9)
            best, asked = kept(these, _value(name))
            values, about = shown(these, _value(name), "absent")
            figures += [
                f"{separation(these, _value(name)):.3f}",
                _percent(share(best >= least, asked)),
                _percent(share(values < least, about)),
            ]
        yield f"| {name} | {' | '.join(figures)} |"


def _levels(test: Sequence[Case]) -> Iterator[str]:
    names = [case for case in test if case.is_words and case.kind != "caption"]
    pictures = [case for case in test if not case.is_words]
    yield "| `min_relevance` | names: kept, % | nothing, % | pictures: kept, % | nothing, % |"
    yield "|---|---|---|---|---|"
    for level in LEVELS:
        figures = []
        for these in (names, pictures):
            figures.append(f"{100 * (kept(these, _value(RELEVANCE))[0] >= level).mean():.0f}")
            figures.append(f"{100 * (shown(these, _value(RELEVANCE), 'absent')[0] < level).mean():.0f}")
        yield f"| {level:g} | {' | '.join(figures)} |"


def _reliability(test: Sequence[Case]) -> Iterator[str]:
    """Of answers in each tenth of relevance, how many are right. Captions are left out: nobody knows what else fits."""
    yield "Is relevance a chance? Half of the questions are for what is there."
    yield ""
    yield "| relevance | names: answers | mean relevance | right | pictures: answers | mean relevance | right |"
    yield "|---|---|---|---|---|---|---|"
    parts = []
    for words in (True, False):
        some = [case for case in test if case.is_words == words and case.kind != "caption"]
        asked = [case for case in some if case.state in ("present", "absent")]
        parts.append(
            (
                np.concatenate([case.measures[RELEVANCE] for case in asked]),
                np.concatenate([case.right for case in asked]),
            )
        )
    parts = [(chance[np.isfinite(right)], right[np.isfinite(right)]) for chance, right in parts]
    for low in range(BINS):
        cells = []
        for chance, right in parts:
            inside = np.minimum((chance * BINS).astype(int), BINS - 1) == low
            if inside.any():
                cells += [f"{inside.sum():,}", f"{chance[inside].mean():.2f}", f"{right[inside].mean():.2f}"]
            else:
                cells += ["0", "", ""]
        yield f"| {low / BINS:.1f} - {(low + 1) / BINS:.1f} | {' | '.join(cells)} |"


def _percent(told: tuple[float, float, float]) -> str:
    value, low, high = told
    return "" if np.isnan(value) else f"{100 * value:.0f} ({100 * low:.0f} - {100 * high:.0f})"
