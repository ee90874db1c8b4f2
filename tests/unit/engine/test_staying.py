"""What of groups stays wherever the rest goes; `test_moving` shows the same of plans."""

from __future__ import annotations

import pytest

from lookalike.engine.staying import Staying
from lookalike.store.collection_store import Store
from moved_groups import group_of


@pytest.fixture
def store(collection):
    with Store.open(collection.path) as opened:
        yield opened


def why_stays(store, *groups) -> dict[str, str]:
    """By the first four letters of its name, of every item but those that its group keeps."""
    with store.snapshot() as snapshot:
        staying = Staying(store, snapshot, groups)
        told = [each for group in groups for each in staying.members(group)]
    return {item.uri.replace("\\", "/").rsplit("/", 1)[-1][:4]: why for _, item, why in told}


def test_of_every_group_the_one_to_keep_stays_also_where_another_group_has_it(store, pictures):
    """Of a burst, the shot that has a copy stays for that one."""
    first, second, copy, *_ = sorted(pictures.iterdir())
    burst, copies = group_of(store, first, second, kind="burst"), group_of(store, second, copy)
    assert why_stays(store, burst, copies) == {"0001": "it is the one to keep of another group", "0002": ""}
    assert why_stays(store, burst) == {"0001": ""}


def test_everything_stays_where_the_one_to_keep_is_not_there(store, pictures):
    kept, copy, *_ = sorted(pictures.iterdir())
    group = group_of(store, kept, copy)
    kept.rename(kept.with_suffix(".away"))
    [why] = why_stays(store, group).values()
    assert why.startswith("the one to keep cannot be counted on: it cannot be read now")
