"""Picked pictures come as one zip file; what is away is named in it."""

from __future__ import annotations

import io
import zipfile
from urllib.parse import urlencode

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_picked_files_come_as_they_are_and_missing_ones_are_named(site, shown):
    hits = site.search(q="red", k=3)["hits"]
    body = urlencode([("id", hit["id"]) for hit in hits] + [("id", hits[0]["id"]), ("id", "nobody")]).encode()
    reply = site.ask("/download", body=body, headers=FORM)
    assert reply.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.body)) as made:
        assert made.testzip() is None
        names = made.namelist()
        assert len(names) == len(set(names)) == 5
        for hit in hits:
            name = hit["uri"].rpartition("/")[2]
            assert made.read(name) == (shown / "pictures" / name).read_bytes()
        assert "nobody" in made.read("missing.txt").decode()
        assert any(" (2)." in name for name in names)


def test_nothing_picked_or_too_many_is_refused(site):
    assert site.ask("/download", body=b"", headers=FORM).status == 422
    many = urlencode([("id", str(number)) for number in range(501)]).encode()
    assert site.ask("/download", body=many, headers=FORM).status == 422


def test_a_run_is_started_from_the_page_and_shown(site):
    assert "bring" in site.ask("/status").text.lower()
    assert site.ask("/status", body=b"retry=1", headers=FORM).status == 303
    assert 'data-run="/api/v1/jobs/' in site.ask("/status").text
