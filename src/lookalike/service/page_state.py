"""All that the address of a page says, what is asked and how; and addresses with a part of that changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lookalike.service import facets
from lookalike.service.schema import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

PAGE = 60
"""Pictures drawn at once."""


@dataclass(frozen=True, slots=True)
class PageState:
    """`picture`: the number of one that was sent; `all`: without the cut-off; `choices`: field -> chosen values.

    `kind`: of duplicates, "all" for all kinds; "" where pictures are searched and not duplicates gone through.
    """

    q: str = ""
    item: str = ""
    picture: str = ""
    where: str = ""
    order: str = ""
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    all: bool = False
    after: str = ""
    kind: str = ""
    collection: str | None = None
    choices: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request) -> PageState:
        """What the address of a request says."""
        given = request.query_params
        pairs = given.multi_items()
        starts = {name.removesuffix(".start"): value for name, value in pairs if name.endswith(".start")}
        ends = {name.removesuffix(".end"): value for name, value in pairs if name.endswith(".end")}
        ranges = [(name, f"{starts.get(name, '')}..{ends.get(name, '')}") for name in {**starts, **ends}]
        plain = [pair for pair in pairs if not pair[0].endswith((".start", ".end"))]
        return cls(
            q=given.get("q", "").strip(),
            item=given.get("item", ""),
            picture=given.get("picture", ""),
            where=given.get("where", "").strip(),
            order=given.get("order", ""),
            like=tuple(given.getlist("like")),
            unlike=tuple(given.getlist("unlike")),
            all=given.get("all") == "1",
            kind=given.get("kind", ""),
            collection=given.get("collection") or None,
            choices=facets.choices_in([*plain, *ranges]),
        )

    @property
    def is_question(self) -> bool:
        """Whether anything is asked."""
        return bool(self.q or self.item or self.picture)

    def address(self, path: str = "/", **changed: Any) -> str:
        """The address of this state with something changed."""
        state = replace(self, **changed)
        pairs: list[tuple[str, str]] = [
            (name, value)
            for name in ("q", "item", "picture", "where", "order", "collection", "kind", "after")
            if (value := getattr(state, name))
        ]
        pairs += [("like", each) for each in state.like] + [("unlike", each) for each in state.unlike]
        pairs += _filters(state.choices)
        if state.all:
            pairs.append(("all", "1"))
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def back(self) -> str:
        """The address of the list that an item was opened from."""
        return self.address("/duplicates" if self.kind else "/")

    def bare(self, path: str) -> str:
        """The address of another page about the same collection."""
        return PageState(collection=self.collection).address(path)

    def kept_by_words(self) -> list[tuple[str, str]]:
        """What stays when other words are typed: a picture they are said beside, filters, order."""
        kept = [(name, getattr(self, name)) for name in ("picture", "where", "order", "collection")]
        return [pair for pair in kept if pair[1]] + _filters(self.choices)

    def nearer(self, id: str) -> str:
        """The address that asks for more like an item: beside the words, or in place of all else."""
        if self.q:
            return self.address(like=(*self.like, id))
        return self.address(picture="", item=id, like=(), unlike=())

    def question(self) -> Asked:
        """As the API would be asked. Raises ValidationError."""
        return Asked(
            q=self.q or None,
            item=self.item or None,
            k=PAGE,
            where=facets.filter_of(self.choices, self.where or None),
            order=self.order,
            like=list(self.like),
            unlike=list(self.unlike),
            min_relevance=None if self.all else "usual",
            collection=self.collection,
        )


def _filters(choices: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    return [(facets.PREFIX + name, value) for name, values in choices.items() for value in values]
