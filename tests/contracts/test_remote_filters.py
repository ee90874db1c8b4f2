"""What a filter lets pass is the same by an engine elsewhere and by hand, for all kinds of items and conditions."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from filter_oracle import DECLARED, drawn_condition, drawn_metadata, is_met
from lookalike.core.conditions import And, Compare, Contains, Has, In, Not, Or
from lookalike.remote.contract import Asked, RemoteFacts, RemoteItem
from remote_engines import ENGINES, served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookalike.remote.contract import RemoteEngine

ITEMS, CONDITIONS, DIM = 200, 150, 8
PHOTOS = os.path.join(os.path.abspath(os.sep), "Photos")
NAMES = ["photo {}.jpg", "Пляж {}.PNG", "{}", os.path.join("sub", "Я", "IMG_{}.JPG"), "x\udcff{}.tar.gz"]
SHOWN = ["https://example.org/Photos/{}.jpg?x", "/photos/Я/{}.JPG"]
ODD = ["", "\0", "\0\0", "\0\1", "\1", "a\0b", "a\ud800", "a\ud801", "a\ud7ff", "a\ue000", "a\U0001f600", "%s", "\\x00"]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request, tmp_path_factory) -> Iterator[RemoteEngine]:
    with served(request.param, tmp_path_factory.mktemp("server")) as opened:
        engine = opened("filters")
        engine.create(RemoteFacts("toy-1", "toy", DIM))
        engine.upsert(drawn_items())
        yield engine


def drawn_items() -> list[RemoteItem]:
    draw = random.Random(7)
    vectors = np.random.default_rng(7).standard_normal((ITEMS, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items = []
    for one in range(ITEMS):
        of_bytes, own = drawn_metadata(draw, one)
        known = {name: value for name, value in {**of_bytes, **own}.items() if value is not None}
        item = RemoteItem(
            f"Item-{one}",
            draw.choice(SHOWN).format(one) if one % 10 == 5 else os.path.join(PHOTOS, draw.choice(NAMES).format(one)),
            os.fsencode(PHOTOS),
            b"%d" % one,
            draw.choice([40, 1000, 2**40]),
            draw.choice([1_714_720_000, -1, 0]) * 10**9,
            None,
            None,
            draw.choice([None, 40, 5]),
            draw.choice([None, 40, 5]),
            draw.choice(["", "PNG", "JPEG"]),
            metadata={**known, "text": ODD[one % len(ODD)]} if one % 3 else known,
            vector=vectors[one].astype(np.float16),
        )
        items.append(item)
    return items


def met(engine: RemoteEngine, condition, below: bytes | None = None) -> set[str]:
    return {item.id for item in engine.items(asked=Asked(condition, DECLARED, below))}


def test_conditions_of_all_kinds_are_met_as_by_hand(engine):
    draw, items = random.Random(11), drawn_items()
    wrong = []
    for _ in range(CONDITIONS):
        condition = drawn_condition(draw)
        if met(engine, condition) != {item.id for item in items if is_met(condition, item)}:
            wrong.append(condition)
    assert wrong == []


def test_text_that_databases_do_not_take_compares_like_any(engine):
    """NUL, halves of surrogate pairs, what looks like a parameter or an escape."""
    items, draw = drawn_items(), random.Random(13)
    conditions = [Compare("text", op, text) for text in ODD for op in ("=", "!=", "<", "<=", ">", ">=")]
    conditions += [Contains("text", text) for text in ODD] + [In("text", tuple(draw.sample(ODD, 3))) for _ in range(5)]
    conditions += [Compare("field\0\ud800%s", "=", "x"), Has("';--"), Not(Has("text"))]
    wrong = [each for each in conditions if met(engine, each) != {item.id for item in items if is_met(each, item)}]
    assert wrong == []


def test_as_many_comparisons_as_a_filter_may_have_are_answered(engine):
    many = In("price", tuple(range(200)))
    deep = Or((And((many, Not(many))), Contains("id", "Item-7")))
    for _ in range(30):
        deep = Not(And((deep, Has("id"))))
    assert met(engine, deep) == {item.id for item in drawn_items() if is_met(deep, item)}


def test_only_what_lies_below_a_path_may_answer(engine):
    items = drawn_items()
    for below in (PHOTOS, PHOTOS + os.sep, os.path.join(PHOTOS, "sub"), os.path.join(PHOTOS, "su"), items[0].uri):
        shown = below.rstrip(os.sep)
        inside = {item.id for item in items if item.uri in {below, shown} or item.uri.startswith(shown + os.sep)}
        assert met(engine, None, os.fsencode(below)) == inside
    web = {item.id for item in items if item.uri.startswith("https://example.org/Photos/")}
    assert met(engine, None, b"https://example.org/Photos") == web


def test_counting_and_searching_go_by_the_filter(engine):
    condition = Not(Compare("price", "<", 5))
    allowed = {item.id: item for item in drawn_items() if is_met(condition, item)}
    asked = Asked(condition, DECLARED)
    assert engine.count(asked) == len(allowed)
    question = np.ones((1, DIM), np.float32) / np.sqrt(np.float32(DIM))
    best = sorted(allowed, key=lambda each: -float(allowed[each].vector.astype(np.float32) @ question[0]))[:10]
    assert [found.item.id for found in engine.nearest(question, 10, asked=asked)[0]] == best
