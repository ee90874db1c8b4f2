"""Addresses of collections on Milvus: what they mean, and that a wrong one says what is wrong."""

from __future__ import annotations

import pytest

from lookalike.core.errors import RemoteRefused
from lookalike.remote.milvus_address import Address, parsed_address


@pytest.mark.parametrize(
    ("address", "uri", "name", "database"),
    [
        ("milvus://search.lan:19531/shop", "http://search.lan:19531", "shop", ""),
        ("milvus://search.lan/shop", "http://search.lan:19530", "shop", ""),
        ("milvus://search.lan/shop/?db=prod&tls=1", "https://search.lan:19530", "shop", "prod"),
        ("milvus://[::1]:7/_x9", "http://[::1]:7", "_x9", ""),
        ("milvus:///home/me/shop.db", "/home/me/shop.db", "shop", ""),
        ("milvus:///home/me/a b.db#shop", "/home/me/a b.db", "shop", ""),
        ("milvus:///C:/me/shop.db#other", "C:/me/shop.db", "other", ""),
    ],
)
def test_an_address_names_a_server_or_a_folder_and_a_collection(address, uri, name, database):
    assert parsed_address(address) == Address(uri, name, database, address)


@pytest.mark.parametrize(
    "address",
    [
        "http://search.lan/shop",
        "milvus://search.lan",
        "milvus://search.lan/9shop",
        "milvus://search.lan/shop/photos",
        "milvus://search.lan:many/shop",
        "milvus://search.lan/shop?database=prod",
        "milvus:///home/me/shop",
        "milvus:///home/me/my-shop.db",
        "milvus://search.lan/shop_settings",
        "milvus:///home/me/shop_settings.db",
    ],
)
def test_what_names_none_is_refused_with_the_next_step(address):
    with pytest.raises(RemoteRefused) as refused:
        parsed_address(address)
    assert refused.value.hint


def test_a_password_in_an_address_is_refused_and_not_repeated():
    for address in ("milvus://root:hush@search.lan/shop", "http://root:hush@search.lan/shop"):
        with pytest.raises(RemoteRefused) as refused:
            parsed_address(address)
        assert "hush" not in f"{refused.value} {refused.value.hint}"
