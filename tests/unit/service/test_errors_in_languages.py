"""What goes wrong for a visitor is said in the visitor's language, on the page and in the API, where English stays."""

from __future__ import annotations

import io
import re
import shutil
import time
import zipfile
from html import unescape

import pytest
from filelock import FileLock
from PIL import Image

from lookalike.core.errors import QueryError
from lookalike.core.wording import Wording, said
from lookalike.remote.opening import Access
from lookalike.service.problems import in_short
from lookalike.service.settings import Served, ServiceSettings
from lookalike.store.lock import LOCK
from lookalike.store.tokens import Tokens

MISTAKES = [
    "price <", "price < (", "width", "width <", "width < many", "width < 1,5", "width like 5", "width < and",
    "width < 5 &&", "width < 5 height < 6", "width in (1 2", "width in 5", "width: 5", "widht < 5", "5 < width",
    "taken = soon", "taken = 1066", "size < heavy", "width ~ 5", "name = red circle", "name = 'red", "width < 5 ! 6",
    "not", "colours ~ red and", "x" * 8000, " and ".join(["width < 5"] * 101), "not " * 30 + "width < 5",
    "(width < 5", "width < 5)", "`width < 5",
]  # fmt: skip
"""Filters that people write wrongly, each in a way of its own."""
ASKED = {
    "no-collection": ("/api/v1/status", {"collection": "nowhere"}),
    "empty": ("/api/v1/search", {"q": "red", "collection": "none"}),
    "no-item": ("/api/v1/items/nowhere", {}),
    "bad-query": ("/api/v1/search", {"item": "nowhere"}),
    "order": ("/api/v1/search", {"q": "red", "order": "newest"}),
    "no-order": ("/api/v1/search", {"q": "red", "order": ","}),
    "no-cursor": ("/api/v1/search", {"q": "red", "after": "x"}),
    "group-cursor": ("/api/v1/duplicates", {"after": "x"}),
    "no-question": ("/api/v1/search", {}),
    "too-long": ("/api/v1/search", {"q": "x" * 4001}),
    "where-too-long": ("/api/v1/search", {"q": "red", "where": "x" * 8001}),
    "too-many": ("/api/v1/search", {"q": "red", "like": ["x"] * 101}),
    "bad-value": ("/api/v1/search", {"q": "red", "k": "many"}),
    "no-job": ("/api/v1/jobs/99", {}),
    "no-history": ("/api/v1/history", {}),
    "picture-gone": ("/pictures/forgotten", {}),
    "not-found": ("/nowhere", {}),
}
"""What else an address can ask for in vain."""


def local(site, path, *, language="ru", **query):
    """What is said of an error: in English and, of the same error, in another language."""
    english = site.ask(path, **query).json
    other = site.ask(path, headers={"Accept-Language": language}, **query).json
    assert "local" not in english
    assert {name: value for name, value in other.items() if name not in {"local", "request"}} == {
        name: value for name, value in english.items() if name != "request"
    }
    assert other["local"]["language"] == language
    assert ("hint" in english) == bool(other["local"]["hint"])
    return english, other["local"]


def is_cyrillic(text: str) -> bool:
    """Whether a text is said in letters of Russian or Ukrainian, but for what a filter, a field or a command is."""
    return bool(re.search("[а-яіїєґ]{2}", text))


@pytest.mark.parametrize("language", ["ru", "uk"])
@pytest.mark.parametrize("where", MISTAKES, ids=lambda each: each[:24])
def test_mistakes_in_filters_are_said_and_shown_at_their_place(site, language, where):
    english, told = local(site, "/api/v1/search", language=language, q="red", where=where)
    assert is_cyrillic(told["detail"])
    assert not told["hint"] or is_cyrillic(told["hint"])
    assert english["detail"].partition("\n")[2] == told["detail"].partition("\n")[2]
    assert english["detail"].endswith("^") == ("position" in english)


@pytest.mark.parametrize("language", ["ru", "uk"])
@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_in_vain_is_said(site, language, name):
    path, query = ASKED[name]
    _, told = local(site, path, language=language, **query)
    assert is_cyrillic(told["detail"])
    assert not told["hint"] or is_cyrillic(told["hint"])


def test_a_cursor_of_another_query_is_said(site):
    after = site.search(q="red", after="start")["next"]
    assert "другого запроса" in local(site, "/api/v1/search", q="blue", after=after)[1]["detail"]


@pytest.mark.parametrize(
    ("language", "said", "hint"),
    [
        ("en", "here a value should stand", "Without filters"),
        ("ru", "здесь ожидается значение", "Без фильтров"),
        ("uk", "тут очікується значення", "Без фільтрів"),
    ],
)
def test_the_page_says_mistakes_in_its_language_with_the_place(site, language, said, hint):
    text = unescape(site.ask("/", q="red", where="width < ( 5", lang=language).text)
    alert = text.partition('role="alert"')[2].partition("</section>")[0]
    assert said in alert
    assert hint in alert
    assert re.search(r"<pre>.*\n +\^</pre>", alert)
    assert 'role="alert">' in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"q": "x" * 4001}, "слишком длинный запрос: можно не больше 4\xa0000 знаков"),
        ({"q": "red", "f.width": "wide..60"}, "в поле width стоит число"),
        ({"picture": "forgotten"}, "эта картинка уже не хранится"),
        ({"item": "gone"}, "в коллекции нет картинки gone"),
        ({"q": "red", "after": "x"}, "эта ссылка на следующую страницу испорчена"),
        ({"q": "red", "collection": "none"}, "в коллекции none пока нет картинок"),
        ({"q": "red", "collection": "nowhere"}, "коллекции nowhere здесь нет"),
    ],
)
def test_the_page_says_what_else_went_wrong(site, query, said):
    assert said in unescape(site.ask("/", lang="ru", **query).text)


def png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def narrow(shown, run_service):
    """A service that takes small pictures only."""
    served = (Served("drawn", shown / "drawn.lookalike"),)
    with run_service(ServiceSettings(served, upload_pixels=1000, upload_s=20)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("data", "status", "code", "said"),
    [
        (b"", 415, "not-a-picture", "картинка не подходит: файл пуст"),
        (b"<html>", 415, "not-a-picture", "картинка не подходит: в файле нет картинки"),
        (png(30, 20)[:60], 415, "not-a-picture", "картинка не подходит: данные PNG повреждены"),
        (png(300, 200), 413, "too-large", "картинка не подходит: в ней 300 × 200 пикселей, а можно не больше 1\xa0000"),
    ],
    ids=["empty", "no picture", "cut off", "too many pixels"],
)
def test_a_picture_that_cannot_be_used_is_said_and_answered_with_what_fits(narrow, data, status, code, said):
    at = narrow.upload("/pictures", "image", data).headers["location"]
    assert said in unescape(narrow.ask(f"{at}&lang=ru").text)
    reply = narrow.ask(at.replace("/?picture=", "/pictures/"), headers={"Accept-Language": "ru"})
    assert (reply.status, reply.json["code"]) == (status, code)
    assert narrow.upload("/api/v1/search", "image", data).status == status


def test_a_picture_for_which_there_was_no_time_may_be_sent_again(shown, run_service):
    """It says nothing about the picture: where much is done at once, any may take too long.

    This one takes far longer than the tenth of a second after which it is seen that the time is over.
    """
    served = (Served("drawn", shown / "drawn.lookalike"),)
    with run_service(ServiceSettings(served, upload_s=0.001)) as site:
        reply = site.upload("/api/v1/search", "image", png(6000, 6000))
        assert (reply.status, reply.json["code"]) == (503, "too-slow")
        assert "try again" in reply.json["hint"]


@pytest.mark.parametrize("size", [300_001, 2_000_000], ids=["more than a picture", "more than a request"])
def test_who_drops_too_large_a_file_sees_a_page_in_the_own_language(site, size):
    mark = b"--mark"
    head = b'%b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' % mark
    headers = {"Accept": "text/html", "Accept-Language": "uk", "Content-Type": "multipart/form-data; boundary=mark"}
    reply = site.ask("/pictures", body=head + b"x" * size + b"\r\n" + mark + b"--\r\n", headers=headers)
    assert reply.status == 413
    assert 'lang="uk"' in reply.text
    assert "не більше ніж" in reply.text


def test_who_comes_too_often_or_may_not_change_anything_is_told(shown, tmp_path, run_service):
    secret = Tokens(tmp_path / "service.sqlite").add("reader", "read")
    served = (Served("drawn", shown / "drawn.lookalike"),)
    settings = ServiceSettings(
        served, host="0.0.0.0", tokens=tmp_path / "service.sqlite", requests_a_second=0.01, requests_at_once=3
    )
    with run_service(settings) as site:
        sent = {"Authorization": f"Bearer {secret}", "Accept-Language": "ru"}
        assert site.ask("/status", headers={"Accept-Language": "ru"}).json["local"]["detail"] == "здесь нужен токен"
        assert site.ask("/status", body=b"", headers=sent).json["local"]["detail"].startswith("с этим токеном")
        site.ask("/", headers=sent)
        often = site.ask("/", headers={**sent, "Accept": "text/html"})
        assert often.status == 429
        assert "повторите через" in often.text


def test_files_that_were_not_taken_say_why(site):
    text = site.ask("/status", lang="ru").text
    assert "повреждён<br>" in text
    assert "повреждён" not in site.ask("/status").text


def test_files_that_are_away_are_named_in_what_is_downloaded(site):
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "uk"}
    with zipfile.ZipFile(io.BytesIO(site.ask("/download", body=b"id=nobody", headers=form).body)) as made:
        assert made.read("missing.txt").decode() == "nobody: у колекції немає картинки nobody\n"


def test_why_a_file_cannot_be_had_is_said_without_its_path_by_whoever_noticed():
    assert in_short(PermissionError(13, "Permission denied", "/a/b.jpg")) == "Permission denied"
    assert said(in_short(OSError("/a/b.tar is torn")), "ru") == "он не читается"
    assert said(in_short(QueryError(Wording("no_item", given="p1"))), "uk") == "у колекції немає картинки p1"


def test_a_damaged_collection_and_one_that_another_process_changes_are_said(shown, tmp_path, run_service):
    (tmp_path / "broken.lookalike").mkdir()
    (tmp_path / "broken.lookalike" / "collection.sqlite").write_bytes(b"no database" * 1000)
    copy = shutil.copytree(shown / "drawn.lookalike", tmp_path / "busy.lookalike")
    served = Served("busy", copy), Served("broken", tmp_path / "broken.lookalike")
    with run_service(ServiceSettings(served)) as site:
        told = local(site, "/api/v1/status", collection="broken")[1]
        assert "повреждена" in told["detail"]
        with FileLock(copy / LOCK):
            site.ask("/status", body=b"", headers={"Content-Type": "application/x-www-form-urlencoded"})
            while not re.search('<progress max="1" value', text := site.ask("/status", lang="ru").text):
                time.sleep(0.05)
        assert "сейчас пишет другой процесс; подождите, пока он закончит; искать можно и сейчас" in text


@pytest.mark.parametrize(
    "address",
    ["milvus://127.0.0.1:9/shop", "postgresql://me@127.0.0.1:9/db?collection=shop"],
    ids=["milvus", "postgres"],
)
def test_an_engine_that_is_away_is_said(run_service, address):
    with run_service(ServiceSettings((Served("shop", address),), access=Access(timeout_s=1.0))) as site:
        english, told = local(site, "/api/v1/search", language="uk", q="red")
        assert (english["status"], english["code"]) == (503, "engine-away")
        assert told["detail"].startswith(f"сервер {address} не відпов")
        assert told["hint"].startswith("перевірте, чи працює сервер")
        page = unescape(site.ask("/", q="red", lang="uk").text)
        assert f"сервер {address} не відпов" in page
