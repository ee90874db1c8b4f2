"""Items as rows of Milvus: no longer than it takes, and nothing lost of the record."""

from __future__ import annotations

import secrets
from dataclasses import replace

import numpy as np
import pytest

from lookalike.core.errors import RemoteRefused
from lookalike.remote.contract import RemoteItem
from lookalike.remote.milvus_schema import LONGEST, RECORD, WORDS, item_of, row_of

ITEM = RemoteItem(
    "a", "/p/a.jpg", b"/p", b"a.jpg", 1, 2, None, b"\1" * 16, 3, 4, "JPEG", vector=np.eye(1, 4, dtype=np.float16)[0]
)


def test_a_record_longer_than_milvus_takes_is_compressed_and_comes_back():
    item = replace(ITEM, metadata={"text": "word and word " * 20_000, "odd": "\0\ud800"})
    row = row_of(item)
    assert len(row[RECORD]) < LONGEST
    back = item_of({RECORD: row[RECORD]})
    assert back == replace(item, vector=None)


def test_words_end_before_milvus_takes_no_more_names_come_first():
    item = replace(ITEM, stems=tuple(f"stem{one}" for one in range(20_000)), names=("whole_name",))
    words = row_of(item)[WORDS]
    assert len(words) <= LONGEST
    assert words.startswith(" n")
    assert words.endswith(" ")
    assert set(words.split()) <= set(row_of(replace(item, stems=item.stems[:6000]))[WORDS].split()) | {""}


def test_what_the_bytes_say_comes_back_whether_or_not_the_place_says_otherwise():
    for of_bytes in ({}, {"title": "t"}, {"title": "other", "only": 1}):
        item = replace(ITEM, metadata={"title": "t", "more": 1}, picture_metadata=of_bytes)
        assert item_of({RECORD: row_of(item)[RECORD]}).picture_metadata == of_bytes


@pytest.mark.parametrize("more", [{"many": [f"{one}" for one in range(20_000)]}, {"odd": secrets.token_hex(60_000)}])
def test_what_is_too_much_for_milvus_is_refused_with_the_name_of_the_item(more):
    with pytest.raises(RemoteRefused, match=r"/p/a\.jpg: .* bytes .* 65,535") as refused:
        row_of(replace(ITEM, metadata=more))
    assert refused.value.hint
