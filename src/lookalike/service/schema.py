"""What goes in and out of the API: the shapes that OpenAPI shows, with an example each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lookalike.core.records import LikenessKind
from lookalike.service.jobs import Task

MOST = 1000
"""Answers that one request may ask for."""
Chance = Annotated[float, Field(ge=0, le=1)]


class Shape(BaseModel):
    """Unknown names are refused: a misspelt option must not be passed over in silence."""

    model_config = ConfigDict(extra="forbid")


class TermIn(Shape):
    """One part of a question: exactly one of `text`, `item` and `vector`; a negative weight leads away from it."""

    text: str | None = Field(default=None, min_length=1, max_length=4000)
    item: str | None = Field(default=None, min_length=1, max_length=4000)
    vector: list[float] | None = Field(default=None, min_length=1, max_length=8192)
    weight: float = Field(default=1.0, allow_inf_nan=False)


class Asked(Shape):
    """A question as an address can hold it. One of `q` and `item` is needed."""

    q: str | None = Field(default=None, min_length=1, max_length=4000, description="words")
    item: str | None = Field(default=None, min_length=1, max_length=4000, description="the id of an item: more like it")
    k: int = Field(default=10, ge=1, le=MOST)
    where: str | None = Field(default=None, max_length=8000, description="a filter: price < 50 and taken >= 2024-05")
    folder: str | None = Field(default=None, max_length=4000, description="only files at or below it")
    mode: Literal["auto", "meaning", "words"] = "auto"
    min_relevance: Chance | Literal["usual"] | None = None
    order: str = Field(default="", max_length=1000, description="fields to sort by: taken desc, price")
    variety: Chance = 0.0
    like: list[str] = Field(default_factory=list, max_length=100, description="ids of items to move towards")
    unlike: list[str] = Field(default_factory=list, max_length=100, description="ids of items to move away from")
    group_by: str | None = Field(default=None, max_length=200)
    all_copies: bool = False
    after: str | None = Field(
        default=None, max_length=8000, description="the `next` of the page before; `start` for the first"
    )
    collection: str | None = Field(
        default=None, max_length=200, description="the collection; the first one unless given"
    )


class SearchIn(Asked):
    """A question as JSON. One of `q`, `item`, `vector` and `terms` is needed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"q": "a dog in the snow", "k": 10, "where": "taken >= 2024-05"}]},
    )

    vector: list[float] | None = Field(
        default=None, min_length=1, max_length=8192, description="of the encoder's width"
    )
    terms: list[TermIn] | None = Field(default=None, min_length=1, max_length=32)
    image_weight: float = Field(default=1.0, allow_inf_nan=False, description="of a picture sent beside it")


class HitOut(BaseModel):
    """One answer, as the command line's `--json` has it."""

    rank: int
    score: float
    relevance: float | None
    id: str
    uri: str
    width: int | None
    height: int | None
    metadata: dict[str, Any]


class PlanOut(BaseModel):
    """How the answers were found, and why so."""

    strategy: str
    reason: str
    effort: int | None
    fetch: int | None


class ResultsOut(BaseModel):
    """Answers, best first."""

    query: str
    encoder: str
    plan: PlanOut
    took_ms: dict[str, float]
    cut: bool
    generation: int
    next: str | None
    hits: list[HitOut]


class ItemOut(BaseModel):
    """All that is known about one item."""

    id: str
    uri: str
    size: int
    modified: str
    width: int | None
    height: int | None
    format: str | None
    offline: bool
    copies: list[str]
    metadata: dict[str, Any]


class FieldOut(BaseModel):
    """What stands in a field that filters and orders may name."""

    name: str
    kind: str
    items: int
    least: int | float | str | None
    most: int | float | str | None
    distinct: int | None
    frequent: list[dict[str, Any]]


class FailureOut(BaseModel):
    """A file that was not taken, and why."""

    uri: str
    code: str
    reason: str


class EncoderOut(BaseModel):
    """An encoder and what it is good for. `recall` and `precision`: by language, in per cent."""

    name: str
    summary: str
    repository: str | None
    dim: int | None
    languages: list[str]
    licence: str
    download_mb: float
    aliases: list[str]
    recall: dict[str, float]
    precision: dict[str, float]
    cpu_ms: float | None
    installed: bool


class OwnEncoderOut(BaseModel):
    """An encoder of the user's own: a folder. `made_of`: ids of those it needs."""

    name: str
    folder: str
    kind: str
    dim: int | None
    made_of: list[str]


class EncodersOut(BaseModel):
    """Encoders at hand."""

    encoders: list[EncoderOut]
    own: list[OwnEncoderOut]


class CollectionOut(BaseModel):
    """A collection that is served here."""

    name: str
    items: int
    pictures: int
    encoder: str | None


class AskedBeforeOut(BaseModel):
    """A question in words that was asked before: how often, and when last."""

    question: str
    times: int
    last: str


class ForgottenOut(BaseModel):
    """How many questions were let go."""

    forgotten: int


class MemberOut(BaseModel):
    """One item of a group of duplicates: a hit that nobody asked for, with what its file is. `kind`, `sure`, `why`: how
    it is like the item to keep, whose own `why` is empty.
    """

    rank: int
    score: None
    relevance: None
    id: str
    uri: str
    width: int | None
    height: int | None
    metadata: dict[str, Any]
    size: int
    format: str
    kind: LikenessKind
    sure: float
    why: str


class GroupOut(BaseModel):
    """Items that show one picture, or one scene. `keep`: the id of the first one, `keep_why`: why that one."""

    kind: LikenessKind
    sure: float
    why: str
    items: list[MemberOut]
    keep: str
    keep_why: str


class GroupsOut(BaseModel):
    """Groups of duplicates, a page of them. `counts`: how many there are of each kind that was asked for."""

    groups: list[GroupOut]
    next: str | None
    counts: dict[str, int]


class GroupsAsked(Shape):
    """Which groups of duplicates are asked for."""

    kind: list[LikenessKind] = Field(default_factory=list, max_length=10, description="only these kinds")
    where: str | None = Field(default=None, max_length=8000, description="only of items that meet this filter")
    after: str | None = Field(default=None, max_length=8000, description="the `next` of the page before")
    k: int = Field(default=20, ge=1, le=200)
    collection: str | None = Field(default=None, max_length=200)


class ApartIn(Shape):
    """Two items, by their ids, that are no duplicates of each other."""

    first: str = Field(min_length=1, max_length=4000)
    second: str = Field(min_length=1, max_length=4000)
    collection: str | None = Field(default=None, max_length=200)


class KeepIn(Shape):
    """The item of a group, by its id, that is kept."""

    item: str = Field(min_length=1, max_length=4000)
    collection: str | None = Field(default=None, max_length=200)


class ApartOut(BaseModel):
    """A decision that two items are no duplicates, by their ids."""

    first: str
    second: str


class KeptOut(BaseModel):
    """The id of an item that was chosen."""

    item: str


class UndoneOut(BaseModel):
    """Whether there was a decision to take back."""

    undone: bool


class JobOut(BaseModel):
    """A run. `report`, when it has ended, is what `index --json` prints, of a look for duplicates what `duplicates
    --json` prints beside the groups.
    """

    id: int
    collection: str
    task: Task
    state: Literal["running", "done", "stopped", "failed"]
    progress: dict[str, Any]
    report: dict[str, Any] | None
    failure: str


class LocalOut(BaseModel):
    """What an error says in the language of who asks (`Accept-Language`), where that is not English."""

    language: str
    detail: str
    hint: str


class ProblemOut(BaseModel):
    """An error: RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    position: int | None = None
    local: LocalOut | None = None
    request: str
