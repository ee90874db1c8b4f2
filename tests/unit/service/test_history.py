"""Questions are kept where that is wanted, and shown to who asked them alone."""

from __future__ import annotations

import re
import urllib.request

import pytest

from lookalike.service.settings import Served, ServiceSettings
from lookalike.store.history import History
from lookalike.store.tokens import Tokens


@pytest.fixture
def database(tmp_path):
    return tmp_path / "service.sqlite"


@pytest.fixture
def keeping(shown, run_service, database):
    """A service of this computer that keeps questions."""
    with run_service(ServiceSettings((Served("drawn", shown / "drawn.lookalike"),), history=database)) as opened:
        yield opened


def asked(site, **headers) -> list[tuple[str, int]]:
    reply = site.ask("/api/v1/history", headers=headers)
    assert reply.status == 200, reply.body
    return [(each["question"], each["times"]) for each in reply.json]


def delete(site, path) -> int:
    request = urllib.request.Request(site.base + path, method="DELETE")
    with urllib.request.urlopen(request) as reply:
        return reply.status


def test_nothing_is_kept_unless_it_was_asked_for(site):
    site.search(q="red circle")
    reply = site.ask("/api/v1/history")
    assert (reply.status, reply.json["code"]) == (404, "no-history")
    assert "datalist" not in site.ask("/").text


def test_words_that_were_answered_are_counted_the_latest_first(keeping, shown):
    keeping.search(q="red circle")
    keeping.ask("/", q=" собака 🐕 ")
    keeping.post("/api/v1/search", {"q": "red circle"})
    keeping.ask("/api/v1/search", q="no answer", where="price < ")
    keeping.search(item=keeping.search(q="red circle", after="start")["hits"][0]["id"])
    page = keeping.search(q="green", after="start", k=5)
    keeping.search(q="green", after=page["next"], k=5)
    assert asked(keeping) == [("green", 1), ("red circle", 3), ("собака 🐕", 1)]
    assert len(keeping.ask("/api/v1/history", k=1).json) == 1
    assert keeping.ask("/api/v1/history", k=0).status == 422


def test_one_question_and_all_of_them_are_let_go(keeping):
    for words in ("red", "green", "blue"):
        keeping.search(q=words)
    delete(keeping, "/api/v1/history?question=green")
    assert [question for question, _ in asked(keeping)] == ["blue", "red"]
    delete(keeping, "/api/v1/history")
    assert asked(keeping) == []


def test_a_page_of_another_site_cannot_make_it_forget(keeping):
    keeping.search(q="red")
    request = urllib.request.Request(
        f"{keeping.base}/api/v1/history", method="DELETE", headers={"Origin": "https://evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)
    assert asked(keeping) == [("red", 1)]


def test_the_page_offers_what_was_asked_as_text(keeping):
    keeping.search(q='<script>"&')
    text = keeping.ask("/").text
    assert re.search(r'<input id="q"[^>]* list="asked">', text)
    assert '<option value="&lt;script&gt;&#34;&amp;">' in text


def test_the_state_page_lists_what_was_asked_and_lets_go_of_it(keeping):
    assert "Asked before" not in keeping.ask("/status").text
    keeping.search(q="red & green")
    text = keeping.ask("/status").text
    assert '<a href="/?q=red+%26+green">red &amp; green</a>' in text
    sent = keeping.ask("/history", body=b"", headers={"Origin": keeping.base})
    assert (sent.status, sent.headers["location"]) == (303, "/status")
    assert asked(keeping) == []


def test_each_token_has_its_own_and_takes_it_along(shown, run_service, database):
    tokens = Tokens(database)
    phone = {"Authorization": f"Bearer {tokens.add('phone', 'read')}"}
    shop = {"Authorization": f"Bearer {tokens.add('shop', 'read')}"}
    served = (Served("drawn", shown / "drawn.lookalike"),)
    with run_service(ServiceSettings(served, host="0.0.0.0", tokens=database, history=database)) as site:
        site.ask("/api/v1/search", q="red", headers=phone)
        site.ask("/api/v1/search", q="green", headers=shop)
        assert asked(site, **phone) == [("red", 1)]
        assert asked(site, **shop) == [("green", 1)]
        assert site.ask("/api/v1/history").status == 401
    tokens.remove("phone")
    tokens.add("phone", "read")
    assert History(database).latest("phone") == []
    assert [each.question for each in History(database).latest("shop")] == ["green"]


def test_a_history_that_cannot_be_written_costs_no_answer(shown, run_service, tmp_path):
    (tmp_path / "broken.sqlite").write_bytes(b"no database" * 100)
    served = (Served("drawn", shown / "drawn.lookalike"),)
    with run_service(ServiceSettings(served, history=tmp_path / "broken.sqlite")) as site:
        assert site.search(q="red circle")["hits"]
        assert site.ask("/", q="red").status == 200
        assert site.ask("/api/v1/history").status == 500


def test_the_oldest_questions_go_when_there_are_too_many(database):
    history = History(database, kept=3)
    for words in ("a", "b", "c", "a", "d"):
        history.note("", words)
    assert [each.question for each in history.latest("")] == ["d", "a", "c"]
    assert History(database).forget("", "half \ud83d") == 0
