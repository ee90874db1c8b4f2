"""Addresses of engines: what is one, and that what may be a password is never shown."""

from __future__ import annotations

from contextlib import suppress

import pytest

from lookalike.core.errors import LookalikeError, RemoteRefused
from lookalike.remote.opening import Access, connect, is_engine, name_in, without_secrets

SECRET = "tops3cret"
WITH_SECRETS = [
    f"milvus://me:{SECRET}@host/shop",
    f"milvus://me:{SECRET}/x@host/shop",
    f"milvus://me:{SECRET}@[::1/shop",
    f"milvus://me:{SECRET}@ho\u2100st/shop",
    f"postgresql://me:{SECRET}@host/db?collection=shop",
    f"postgresql://me:{SECRET}/x@host/db?collection=shop",
    f"postgresql://me:{SECRET}@host:port/db?collection=shop",
    f"postgresql://me@host/db?collection=shop&password={SECRET}",
]


@pytest.mark.parametrize("address", WITH_SECRETS)
def test_an_address_with_a_password_is_refused_without_telling_it(address):
    with pytest.raises(LookalikeError) as refused:
        connect(address, Access())
    with suppress(RemoteRefused):
        assert SECRET not in name_in(address)
    assert SECRET not in f"{refused.value} {refused.value.hint} {without_secrets(address)}"


def test_addresses_are_told_from_folders_and_name_their_collection():
    assert is_engine("milvus://host/shop")
    assert is_engine("postgres://me@host/db")
    assert not is_engine("/home/me/milvus/shop")
    assert name_in("milvus:///home/me/all.db#shop") == "shop"
    assert name_in("postgresql://me@host/db?collection=photos") == "photos"


def test_an_address_without_secrets_stays_as_it_is():
    for address in ("milvus://host:19530/shop?db=prod&tls=1", "postgresql://me@host/db?collection=photos"):
        assert without_secrets(address) == address
