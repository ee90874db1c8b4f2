"""Facets of the page: what its filters offer, and the filter that a visitor's choices make.

    category=Shoes & category=Bags     in the address as f.category=Shoes&f.category=Bags
    price from 10 to 50                f.price=10..50, either end may be missing
    taken in 2024                      f.taken=2024..2024

Choices become text of the filter language, so they mean what `--where` means, and a filter in the address (`where`)
is joined with them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lookalike.engine.fields import FieldFacts

PREFIX = "f."
BETWEEN = ".."
VALUES = 20
"""Values of one facet that can be chosen; beyond it the filter language knows all of them."""
AT_ONCE = 6
"""Of these, how many are shown before more are asked for."""
_VALUES_AT_MOST = 2000
"""Different values beyond which a field of text is no facet: nobody picks from a list of titles."""
_HIDDEN = frozenset(
    {"id", "path", "name", "uri", "caption", "title", "format", "extension", "orientation", "taken_from", "width",
     "height", "size", "modified", "latitude", "longitude", "group"}
)  # fmt: skip
"""Fields that say something about files, not about what people look for."""
_CHOSEN_AMONG = frozenset({"text", "texts", "bool"})
"""Kinds of fields whose values are chosen; the others have a range."""
_FIRST = ("category", "colours", "city", "country", "camera", "taken", "price", "rating", "tags")


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter. `values`: to choose among, with how many items have each; else a range from `least` to `most`."""

    name: str
    kind: str
    values: tuple[tuple[str, int, bool], ...] = ()
    least: str = ""
    most: str = ""
    start: str = ""
    end: str = ""

    @property
    def is_range(self) -> bool:
        return self.kind not in _CHOSEN_AMONG

    @property
    def at_once(self) -> tuple[tuple[str, int, bool], ...]:
        """Values that are shown at once: those that many items have, and those that were chosen."""
        return tuple(each for place, each in enumerate(self.values) if place < AT_ONCE or each[2])

    @property
    def further(self) -> tuple[tuple[str, int, bool], ...]:
        """The others."""
        return tuple(each for place, each in enumerate(self.values) if place >= AT_ONCE and not each[2])

    @property
    def is_used(self) -> bool:
        return bool(self.start or self.end or any(chosen for _, _, chosen in self.values))


def facets_of(facts: Sequence[FieldFacts], choices: Mapping[str, Sequence[str]]) -> list[Facet]:
    """What the collection's fields offer, those that people look for first."""
    offered = [facet for each in facts if (facet := _facet(each, choices.get(each.name, ()))) is not None]
    return sorted(offered, key=lambda facet: _FIRST.index(facet.name) if facet.name in _FIRST else len(_FIRST))


def counted(
    facets: Sequence[Facet],
    choices: Mapping[str, Sequence[str]],
    where: str | None,
    facts_under: Callable[..., Sequence[FieldFacts]],
) -> list[Facet]:
    """Facets with more of their values, and with how many items have each under the filter in force.

    A field's own choices do not count for itself: they show what else could be chosen. `facts_under`: as
    `Collection.fields`. Raises FilterError.
    """
    listed = [facet.name for facet in facets if not facet.is_range]
    free = [name for name in listed if name not in choices]
    facts: dict[str, FieldFacts] = {}
    for names in [free, *([name] for name in listed if name in choices)]:
        others = {name: values for name, values in choices.items() if [name] != names}
        if names:
            found = facts_under(filter_of(others, where), most=VALUES, names=names)
            facts |= {each.name: each for each in found}
    shown = [facet if facet.is_range else _with_values(facet, facts.get(facet.name), choices) for facet in facets]
    return [facet for facet in shown if facet.is_range or facet.values]


def _with_values(facet: Facet, facts: FieldFacts | None, choices: Mapping[str, Sequence[str]]) -> Facet:
    chosen = choices.get(facet.name, ())
    return replace(facet, values=_values(facts.frequent if facts else (), chosen))


def choices_in(parameters: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """The choices in an address: field -> values."""
    chosen: dict[str, list[str]] = {}
    for name, value in parameters:
        if name.startswith(PREFIX) and value and value != BETWEEN:
            chosen.setdefault(name.removeprefix(PREFIX), []).append(value)
    return chosen


def filter_of(choices: Mapping[str, Sequence[str]], where: str | None) -> str | None:
    """The filter that choices and the address's own filter make together; None for none."""
    if where and not choices:
        return where  # as it was typed, so that a mistake in it is shown where it is
    parts = [f"({where})"] if where else []
    for chosen, values in choices.items():
        name = "`" + chosen.replace("`", "``") + "`"
        ranges = [value for value in values if BETWEEN in value]
        if ranges:
            least, _, most = ranges[-1].partition(BETWEEN)
            parts += [f"{name} >= {_quoted(least)}"] * bool(least) + [f"{name} <= {_quoted(most)}"] * bool(most)
        else:
            parts.append(f"{name} in ({', '.join(map(_quoted, values))})")
    return " and ".join(parts) or None


def _facet(facts: FieldFacts, chosen: Sequence[str]) -> Facet | None:
    if facts.name in _HIDDEN or facts.name.startswith("metadata."):
        return None
    if facts.kind in _CHOSEN_AMONG:
        if not facts.frequent or (facts.distinct or 0) > _VALUES_AT_MOST or facts.frequent[0][1] < 2:
            return None
        return Facet(facts.name, facts.kind, _values(facts.frequent, chosen))
    if facts.least is None or facts.least == facts.most:
        return None
    start, _, end = chosen[-1].partition(BETWEEN) if chosen else ("", "", "")
    least, most = (str(value)[:10] if facts.kind == "date" else f"{value:g}" for value in (facts.least, facts.most))
    return Facet(facts.name, facts.kind, least=least, most=most, start=start, end=end)


def _values(frequent: Sequence[tuple[str, int]], chosen: Sequence[str]) -> tuple[tuple[str, int, bool], ...]:
    """Values to choose among: those that many items have, and those that were chosen, whatever they are."""
    others = [(value, 0) for value in chosen if value not in dict(frequent)]
    return tuple((value, items, value in chosen) for value, items in [*frequent, *others])


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
