"""Duplicates over the API and on the page: groups, decisions that are stored at once, runs that look for more."""

from __future__ import annotations

import json
import re
import time
from html import unescape
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

import lookalike
from copied_photos import save_groups
from lookalike import Client
from lookalike.service.settings import Served, ServiceSettings
from lookalike.store.tokens import Tokens
from lookalike.testing import ToyEncoder

GROUPS = 3


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """A place with photos and their collection, in which was looked for duplicates."""
    place = tmp_path_factory.mktemp("duplicates")
    save_groups(place / "photos", GROUPS)
    with lookalike.open(place / "photos.lookalike") as photos:
        list(photos.sync([place / "photos"]))
        list(photos.duplicates.find())
    return place


@pytest.fixture(scope="module")
def site(looked, run_service):
    with run_service(ServiceSettings((Served("photos", looked / "photos.lookalike"),))) as opened:
        yield opened


def groups(site, **asked):
    reply = site.ask("/api/v1/duplicates", **asked)
    assert reply.status == 200, reply.body
    return reply.json


def names(group) -> list[str]:
    return sorted(item["uri"].rpartition("/")[2] for item in group["items"])


def delete(site, path: str, **query: str) -> dict:
    with urlopen(Request(f"{site.base}{path}?{urlencode(query)}", method="DELETE"), timeout=300) as answer:
        return json.load(answer)


def form(site, path: str, **fields: str):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return site.ask(path, body=urlencode(fields).encode(), headers=headers)


def test_groups_come_in_pages_with_the_one_to_keep_first(site):
    first = groups(site, k=2)
    second = groups(site, k=2, after=first["next"])
    assert first["counts"] == second["counts"] == {"same": 0, "copy": GROUPS, "edited": 0, "burst": 0}
    assert [names(each) for each in [*first["groups"], *second["groups"]]] == [
        [f"{number}-again.jpg", f"{number}-small.webp", f"{number}.jpg"] for number in range(GROUPS)
    ]
    for group in first["groups"]:
        assert group["keep"] == group["items"][0]["id"]
        assert all(item["why"] for item in group["items"][1:])
    assert second["next"] is None
    assert groups(site, kind="burst") == {"groups": [], "next": None, "counts": {"burst": 0}}
    assert groups(site, where="format = JPEG")["counts"]["copy"] == GROUPS


def test_two_that_are_no_duplicates_are_never_proposed_again_until_that_is_taken_back(site):
    group = groups(site)["groups"][0]
    kept, other = group["keep"], group["items"][1]["id"]
    assert site.post("/api/v1/duplicates/apart", {"first": kept, "second": other}).json == {
        "first": kept,
        "second": other,
    }
    left = next(each for each in groups(site)["groups"] if each["keep"] == kept)
    assert other not in [item["id"] for item in left["items"]]
    assert f'value="{other}"' in site.ask("/duplicates").text  # among the decisions
    assert delete(site, "/api/v1/duplicates/apart", first=other, second=kept) == {"undone": True}
    assert delete(site, "/api/v1/duplicates/apart", first=other, second=kept) == {"undone": False}
    assert groups(site)["groups"][0] == group


def test_which_one_is_kept_is_chosen_and_taken_back(site):
    group = groups(site)["groups"][1]
    other = group["items"][2]["id"]
    assert site.post("/api/v1/duplicates/keep", {"item": other}).json == {"item": other}
    assert groups(site)["groups"][1]["keep"] == other
    assert delete(site, "/api/v1/duplicates/keep", item=other) == {"undone": True}
    assert groups(site)["groups"][1]["keep"] == group["keep"]


def test_what_cannot_be_decided_says_why(site):
    first = groups(site)["groups"][0]["keep"]
    unknown = site.post("/api/v1/duplicates/apart", {"first": first, "second": "nobody"})
    assert (unknown.status, unknown.json["code"]) == (400, "bad-query")
    assert site.post("/api/v1/duplicates/apart", {"first": first, "second": first}).status == 400
    assert site.post("/api/v1/duplicates/keep", {}).status == 422
    assert site.ask("/api/v1/duplicates", kind="other").status == 422
    assert site.ask("/api/v1/duplicates", after="forged").status == 400


def test_a_run_looks_at_what_is_new(tmp_path, run_service):
    save_groups(tmp_path / "photos", 1)
    with lookalike.open(tmp_path / "own.lookalike", encoder=ToyEncoder()) as photos:
        list(photos.sync([tmp_path / "photos"]))
        with run_service(ServiceSettings((Served("own", tmp_path / "own.lookalike"),))) as site:
            assert "No duplicates are known" in site.ask("/duplicates").text
            assert site.post("/api/v1/jobs", {"task": "duplicates", "paths": ["x"]}).status == 422
            started = site.post("/api/v1/jobs", {"task": "duplicates"})
            assert (started.status, started.json["task"]) == (201, "duplicates")
            told = started.json
            while told["state"] == "running":
                time.sleep(0.1)
                told = site.ask(f"/api/v1/jobs/{told['id']}").json
            assert (told["state"], told["report"]["looked_at"], told["report"]["counts"]["copy"]) == ("done", 5, 1)
            assert "All pictures are compared" in site.ask("/duplicates").text


def test_without_a_script_all_is_forms_and_addresses(site):
    text = site.ask("/duplicates").text
    assert text.count('class="group"') == GROUPS
    assert "lookalike duplicates --collection" in text
    pairs = re.findall(r'name="first" value="([^"]+)"><input type="hidden" name="second" value="([^"]+)"', text)
    first, second = next(pair for pair in pairs if pair[0] != pair[1])
    parted = form(site, "/duplicates/apart?kind=copy", first=first, second=second)
    assert (parted.status, parted.headers["location"]) == (303, "/duplicates?kind=copy")
    assert "Said to be not the same" in site.ask("/duplicates", kind="copy").text
    form(site, "/duplicates/apart?kind=all", first=first, second=second, undo="1")
    assert "Said to be not the same" not in site.ask("/duplicates").text
    assert form(site, "/duplicates/keep?kind=all", item=second).status == 303
    assert groups(site)["groups"][0]["keep"] == second
    delete(site, "/api/v1/duplicates/keep", item=second)
    assert site.ask("/duplicates/more", after=groups(site, k=1)["next"]).text.count('class="group"') == GROUPS - 1


@pytest.mark.parametrize(
    ("language", "why", "kept", "gone"),
    [
        ("en", "saved again as JPEG", "Kept: it still has what the camera wrote", "there is no item p0 in"),
        (
            "ru",
            "сохранена заново как JPEG, у одной нет данных камеры",
            "Остаётся: в ней сохранились данные камеры",
            "в коллекции нет картинки p0",
        ),
        (
            "uk",
            "збережена наново як JPEG, в однієї немає даних камери",
            "Лишається: у ній збереглися дані камери",
            "у колекції немає картинки p0",
        ),
    ],
)
def test_the_page_says_why_in_the_language_of_who_asks(site, language, why, kept, gone):
    text = unescape(site.ask("/duplicates", lang=language).text)
    groups_shown = text.partition('id="grid"')[2]
    assert groups_shown.count(f"<span>{why}") == GROUPS
    assert groups_shown.count(f'<p class="like why">{kept}</p>') == GROUPS
    assert 'lang="en">' not in groups_shown.partition("</ol>")[0]
    sent = {"Content-Type": "application/json", "Accept-Language": language}
    told = site.ask("/api/v1/duplicates/keep", body=b'{"item": "p0"}', headers=sent).json
    assert gone in told.get("local", told)["detail"]


def test_copies_of_a_hit_share_its_place_and_are_shown_side_by_side(site, looked):
    text = site.ask("/", q="red", all="1").text
    assert len(set(re.findall(r'data-item="([^"]+)"', text))) == GROUPS + 2
    assert text.count(">3 copies</a>") == GROUPS
    beside = site.ask(unescape(re.search(r'class="copies" href="([^"]+)"', text)[1]))
    assert beside.text.count('<li class="member') == 3
    assert "<html" in beside.text
    every = site.search(q="red", k=50, all_copies=True)["hits"]
    assert len(every) == 3 * GROUPS + 2


def test_a_token_to_read_sees_groups_and_decides_nothing(tmp_path, looked, run_service):
    secret = Tokens(tmp_path / "service.sqlite").add("reader", "read")
    served = (Served("photos", looked / "photos.lookalike"),)
    with run_service(ServiceSettings(served, host="0.0.0.0", tokens=tmp_path / "service.sqlite")) as site:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
        assert site.ask("/api/v1/duplicates", headers=sent).status == 200
        shown = site.ask("/duplicates", headers=sent).text
        assert 'class="group"' in shown
        assert "<button class" not in shown.partition('id="grid"')[2].replace('<button class="undo"', "")
        for what in ("apart", "keep"):
            asked = b'{"first": "a", "second": "b"}' if what == "apart" else b'{"item": "a"}'
            reply = site.ask(f"/api/v1/duplicates/{what}", body=asked, headers=sent)
            assert (reply.status, reply.json["code"]) == (403, "read-only-token")
        assert site.ask("/api/v1/jobs", body=b'{"task": "duplicates"}', headers=sent).status == 403


def test_a_client_asks_and_decides_as_the_page_does(site):
    with Client(site.base) as photos:
        group = photos.duplicates(kinds=["copy"], k=1)["groups"][0]
        first, second = group["keep"], group["items"][1]["id"]
        assert photos.not_same(first, second) == (first, second)
        assert photos.undo_not_same(first, second)
        assert photos.keep(second) == second
        assert photos.undo_keep(second)
        assert photos.duplicates(kinds=["copy"], k=1)["groups"][0] == group
