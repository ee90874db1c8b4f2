"""Object storage, against a real S3 server on this machine."""

from __future__ import annotations

import pytest

from lookalike.core.errors import MissingExtra, SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.images.objects import objects
from odd_files import card, encoded
from s3_server import s3_server

PICTURE = encoded(card(), "JPEG")
OBJECTS = {
    "photos/a b.jpg": PICTURE,
    "photos/2024/Ж.png": PICTURE + b"2",
    "photos/2024/notes.txt": b"no picture",
    "photos/.hidden/x.jpg": PICTURE,
    "photos/z.WEBP": PICTURE,
    "other/o.jpg": PICTURE,
}


@pytest.fixture(scope="module")
def endpoint():
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(endpoint, monkeypatch):
    """A bucket with OBJECTS in it, and its file system."""
    import s3fs

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem(skip_instance_cache=True)
    if not system.exists("shop"):
        system.mkdir("shop")
    for name, content in OBJECTS.items():
        system.pipe(f"shop/{name}", content)
    return system


def keys(source):
    return [found.key.decode() for found in source.assets()]


def test_pictures_under_a_prefix_are_entries_in_the_order_of_their_names(bucket):
    source = objects("s3://shop/photos/")
    assert keys(source) == ["2024/Ж.png", "a b.jpg", "z.WEBP"]
    first = next(iter(source.assets()))
    assert first.uri == "s3://shop/photos/2024/Ж.png"
    assert first.size == len(PICTURE) + 1
    with source.open(first) as stream:
        assert stream.read() == PICTURE + b"2"
    assert source.stamp(first) == (first.size, first.modified_ns)


def test_a_bucket_and_a_single_object_are_sources_too(bucket):
    assert keys(objects("s3://shop")) == ["other/o.jpg", "photos/2024/Ж.png", "photos/a b.jpg", "photos/z.WEBP"]
    (found,) = objects("s3://shop/other/o.jpg").assets()
    assert found.uri == "s3://shop/other/o.jpg"
    with objects("s3://shop/other/o.jpg").open(found) as stream:
        assert stream.read() == PICTURE


def test_an_object_written_anew_has_another_stamp(bucket):
    source = objects("s3://shop/other")
    (before,) = source.assets()
    bucket.pipe("shop/other/o.jpg", PICTURE + b"more")
    (after,) = source.assets()
    assert (after.size, after.modified_ns) != (before.size, before.modified_ns)


def test_an_object_that_is_gone_cannot_be_opened(bucket):
    source = objects("s3://shop/photos")
    for question in (source.open, source.stamp):
        with pytest.raises(OSError, match=r".+"):
            question(Asset(b"none.jpg", "s3://shop/photos/none.jpg", 1, 0))


def test_a_bucket_that_is_not_there_is_a_source_error(bucket):
    with pytest.raises(SourceError) as caught:
        list(objects("s3://nobodys-bucket").assets())
    assert "AWS_ENDPOINT_URL" in caught.value.hint


def test_a_server_that_does_not_answer_is_a_source_error(bucket, monkeypatch):
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(SourceError):
        list(objects("s3://shop/photos").assets())
    s3fs.S3FileSystem.clear_instance_cache()


def test_storage_whose_client_is_not_installed_names_the_extra():
    with pytest.raises(MissingExtra):
        list(objects("gs://bucket").assets())


def test_nothing_is_skipped_where_all_can_be_listed(bucket):
    assert not [found for found in objects("s3://shop").assets() if isinstance(found, Skipped)]
