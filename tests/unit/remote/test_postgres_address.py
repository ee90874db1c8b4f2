from __future__ import annotations

import pytest

from lookalike.core.errors import RemoteRefused
from lookalike.remote.postgres_address import Address, parse, password_in


def test_an_address_says_where_a_collection_is():
    assert parse(
        "postgresql://me@db.example.org:6543/shop?collection=photos&sslmode=verify-full&sslrootcert=ca.pem"
    ) == (Address("db.example.org", 6543, "shop", "me", "photos", sslmode="verify-full", sslrootcert="ca.pem"))
    assert parse("postgresql://a%40b@[::1]/?collection=x") == Address("::1", 5432, "a@b", "a@b", "x")
    by_socket = parse("postgresql://me@/shop?host=/run/postgresql&collection=x")
    assert (by_socket.socket_folder, by_socket.host, by_socket.port) == ("/run/postgresql", "localhost", 5432)
    assert parse(str(by_socket)) == by_socket


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret-5@db/shop?collection=x",
        "postgresql://me@db/shop?collection=x&password=secret-5",
        "postgresql://db/shop?collection=x",
        "postgresql://me@db/shop",
        "postgresql://me@db/shop?collection=x;drop",
        "postgresql://me@db/shop?collection=" + "x" * 41,
        "postgresql://me@db/shop?collection=x&sslmode=never",
        "postgresql://me@db/shop?collection=x&target=1",
        "postgresql://me@db:port/shop?collection=x",
        "postgresql://me@db:99999/shop?collection=x",
    ],
)
def test_what_is_no_address_is_refused_and_a_password_not_repeated(url):
    with pytest.raises(RemoteRefused) as refused:
        parse(url)
    assert "secret-5" not in f"{refused.value} {refused.value.hint}"
    assert refused.value.hint


def test_a_password_file_is_read_as_libpq_reads_it(tmp_path):
    address = Address("db", 5432, "shop", "me", "photos")
    file = tmp_path / "pgpass"
    assert password_in(file, address) is None
    file.write_text("# a comment\ndb:5433:*:*:port\ndb:*:other:me:database\n*:*:shop:me:its\\:own\\\\\n*:*:*:*:later\n")
    file.chmod(0o600)
    assert password_in(file, address) == "its:own\\"
