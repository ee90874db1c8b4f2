"""What each command prints for a person and for a program, and how it ends."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

SEARCH_KEYS = ["query", "encoder", "plan", "took_ms", "cut", "generation", "next", "hits"]
HIT_KEYS = ["rank", "score", "relevance", "id", "uri", "width", "height", "metadata"]
INDEX_KEYS = {"added", "changed", "moved", "removed", "offline", "encoded", "reused", "skipped", "seconds"}
STATUS_KEYS = {"items", "pictures", "offline", "failures", "encoder", "dim", "bytes_on_disk", "roots"}


# --- the door --------------------------------------------------------------------------------------


def test_bare_it_shows_three_examples(call):
    said = call()
    assert said.code == 0
    assert sum(line.startswith("  lookalike ") for line in said.out.splitlines()) == 3


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command(call, flag):
    from lookalike.cli.main import COMMANDS

    said = call(flag)
    assert said.code == 0
    assert all(f"  {name} " in said.out for name in COMMANDS)


def test_the_version_is_the_packages(call):
    import lookalike

    assert call("--version").out == f"lookalike {lookalike.__version__}\n"


def test_every_command_is_there_under_its_name_with_its_line(call):
    import importlib

    from lookalike.cli.main import COMMANDS

    for name, (module, line) in COMMANDS.items():
        command = getattr(importlib.import_module(module), name.replace("-", "_"))
        assert (command.name, command.help.split("\n")[0]) == (name, line)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serch", "dog"], "did you mean: lookalike search"),
        (["a dog in the snow"], 'did you mean: lookalike search "a dog in the snow"'),
        (["search"], "missing argument"),
        (["search", "dog", "-k", "0"], "'-k': 0 is not a whole number from 1 on"),
        (["duplicates", "--not", "a.jpg"], "--not takes two values: A B, such as --not holiday.jpg"),
        (["duplicates", "--move-to"], "--move-to takes a value: DIR"),
        (["duplicates", "--paths=3"], "does not take a value"),
        (["serve", "pictures"], "pictures alone means nothing here; a collection is given as --collection DIR"),
        (["show", "a.jpg", "pictures"], "unexpected extra argument"),
        (["export", "out"], "'--format'. Choose from: faiss, npy, parquet"),
        (["search", "dog", "--nope"], "--nope"),
        (["search", "dog", "--copy-to", "a", "--link-to", "b"], "--copy-to and --link-to"),
        (["index", "--device", "tpu"], "tpu"),
        (["migrate"], "--encoder"),
        (["evaluate"], "give JUDGEMENTS, or --labels, or --captions"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_do(call, indexed, arguments, said):
    called = call(*arguments)
    assert (called.code, called.out) == (2, "")
    assert called.err.startswith("error: ")
    assert said in called.err
    assert "-h shows how it is used" in called.err


def test_a_failure_ends_with_1_and_names_the_way_out(call, tmp_path):
    called = call("search", "dog", "--collection", tmp_path / "none")
    assert (called.code, called.out) == (1, "")
    assert str(tmp_path / "none") in called.err
    assert "lookalike index" in called.err
    assert "Traceback" not in called.err


@pytest.mark.parametrize("arguments", [["--debug", "status"], ["status", "--debug"]])
def test_debug_shows_where_an_error_came_from(call, tmp_path, arguments):
    assert "Traceback" in call(*arguments, "--collection", tmp_path / "none").err


# --- index -----------------------------------------------------------------------------------------


@pytest.fixture
def index(call, pictures, colour_encoder, tmp_path, monkeypatch):
    """Index the test's own pictures."""
    monkeypatch.setenv("LOOKALIKE_COLLECTION", str(tmp_path / "own.lookalike"))

    def run(*arguments):
        return call("index", pictures, "--encoder", colour_encoder, *arguments)

    return run


def test_index_as_json_has_the_promised_keys(index):
    report = index("--json").json
    assert set(report) >= INDEX_KEYS
    assert (report["added"], report["encoded"], report["skipped"]) == (24, 24, [])


def test_index_says_what_changed_and_what_to_do_next(index, pictures):
    first = index()
    assert first.code == 0
    assert "24 added" in first.out
    assert "lookalike search" in first.err
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff but no picture")
    shutil.move(next(pictures.glob("0003*")), pictures / "moved.jpg")
    next(pictures.glob("0004*")).unlink()
    second = index()
    assert "1 moved" in second.out
    assert "1 removed" in second.out
    assert "1 skipped" in second.out
    assert "broken.jpg" in second.err
    assert "lookalike failures" in second.err
    assert "nothing changed" not in second.out


def test_index_without_paths_looks_through_what_it_knows(index, call):
    index()
    again = call("index")
    assert again.code == 0
    assert "nothing changed" in again.out


def test_index_without_paths_needs_a_collection_that_knows_some(call, tmp_path):
    called = call("index", "--collection", tmp_path / "none")
    assert called.code == 2
    assert "lookalike index ~/Pictures" in called.err
    assert not (tmp_path / "none").exists()


def test_a_missing_folder_makes_no_collection(call, tmp_path):
    called = call("index", tmp_path / "missing", "--collection", tmp_path / "new.lookalike")
    assert called.code == 1
    assert "missing" in called.err
    assert not (tmp_path / "new.lookalike").exists()


def test_what_is_excluded_stays_out(index):
    assert index("--exclude", "*-red-*", "--exclude", "*.png", "--json").json["added"] == 14


def test_another_encoder_is_refused_with_the_way_to_migrate(index, call, colour_encoder, tmp_path):
    from tiny_encoder import write_tiny_encoder

    index()
    other = write_tiny_encoder(tmp_path / "other")
    refused = call("index", "--encoder", other)
    assert refused.code == 1
    assert "lookalike migrate" in refused.err


# --- search ----------------------------------------------------------------------------------------


def test_words_find_what_they_name(call, indexed):
    found = call("search", "red", "-k", 3)
    assert found.code == 0
    assert len(found.out.splitlines()) == 3
    assert all("-red-" in line for line in found.out.splitlines())
    assert "all 24 pictures" in found.err


def test_search_as_json_is_one_object_with_the_promised_keys(call, indexed):
    answer = call("search", "green", "-k", 2, "--json").json
    assert list(answer) == SEARCH_KEYS
    assert answer["query"] == "green"
    assert [list(hit) for hit in answer["hits"]] == [HIT_KEYS] * 2
    assert list(answer["plan"]) == ["strategy", "reason", "effort", "fetch"]


def test_a_picture_finds_itself_first(call, indexed, drawn):
    picture = sorted(drawn.iterdir())[5]
    assert call("search", picture, "-k", 1, "--paths").out == f"{picture}\n"


def test_a_picture_may_come_by_standard_input(call, indexed, drawn, monkeypatch):
    picture = sorted(drawn.iterdir())[7]
    with picture.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert call("search", "-", "-k", 1, "--paths").out == f"{picture}\n"


def test_paths_are_lines_or_end_with_nul(call, indexed):
    assert call("search", "red", "-k", 2, "--paths").out.count("\n") == 2
    zeros = call("search", "red", "-k", 2, "--paths", "-0").out
    assert zeros.count("\0") == 2
    assert "\n" not in zeros


def test_a_search_can_stay_below_a_folder(call, indexed, drawn):
    one = sorted(drawn.iterdir())[3]
    assert call("search", "red", "--in", one, "--paths").out == f"{one}\n"
    nothing = call("search", "red", "--in", drawn / "nowhere")
    assert (nothing.code, nothing.out) == (0, "")
    assert "Nothing found" in nothing.err


def test_found_pictures_are_gathered(call, indexed, tmp_path):
    call("search", "blue", "-k", 2, "--copy-to", tmp_path / "out")
    assert [path.name[:3] for path in sorted((tmp_path / "out").iterdir())] == ["01-", "02-"]


def test_preview_outside_a_terminal_is_told(call, indexed):
    assert "needs a terminal" in call("search", "red", "--preview").err


def test_what_is_no_picture_is_named(call, indexed, tmp_path):
    (tmp_path / "text.jpg").write_text("words")
    called = call("search", tmp_path / "text.jpg")
    assert called.code == 1
    assert "text.jpg" in called.err


def test_an_address_needs_permission(call, indexed):
    assert call("search", "http://example.org/a.jpg").code == 2


# --- the others ------------------------------------------------------------------------------------


def test_status_as_json_has_the_promised_keys(call, indexed):
    state = call("status", "--json").json
    assert set(state) >= STATUS_KEYS
    assert (state["items"], state["pictures"], state["dim"]) == (24, 24, 3)


def test_status_for_a_person(call, indexed, drawn):
    said = call("status").out
    assert str(drawn) in said
    assert "24" in said


def test_failures_are_grouped_by_reason(index, call, pictures):
    for name in ("one.jpg", "two.jpg"):
        (pictures / name).write_bytes(b"")
    index()
    said = call("failures").out
    assert said.startswith("2 files: ")
    assert call("failures", "--paths").out.splitlines() == [str(pictures / "one.jpg"), str(pictures / "two.jpg")]
    listed = call("failures", "--json").json["failures"]
    assert [set(each) for each in listed] == [{"uri", "code", "reason"}] * 2


def test_no_failures_is_good_news_and_no_result(call, indexed):
    said = call("failures")
    assert said.out == ""
    assert "could be taken" in said.err


def test_encoders_lists_the_built_in_and_the_catalogue(call):
    known = call("encoders", "--json").json["encoders"]
    assert known[0]["name"] == "builtin"
    assert {"clip-vit-b-32", "siglip2-b-16"} < {each["name"] for each in known}
    assert all(len(line) <= 80 for line in call("encoders").out.splitlines()[: len(known) + 1])


def test_what_is_removed_stays_out_until_it_is_asked_for(index, call, pictures):
    index()
    one = min(pictures.iterdir())
    assert call("remove", one, "--json").json == {"removed": 1}
    assert "nothing" in call("remove", one).out
    call("index")
    assert call("status", "--json").json["items"] == 23
    call("index", one)
    assert call("status", "--json").json["items"] == 24


def test_an_unplugged_folder_is_kept_until_it_is_pruned(index, call, pictures):
    index()
    os.rename(pictures, pictures.with_name("elsewhere"))
    offline = call("index")
    assert "24 pictures" in offline.err
    assert "lookalike prune" in offline.err
    assert call("prune", "--purge", "--json").json == {"pruned": 24, "purged": True}
    assert call("status", "--json").json["items"] == 0


def test_compact_gives_space_back(index, call, pictures):
    index()
    call("remove", pictures)
    freed = call("compact", "--json").json
    assert set(freed) == {"pictures", "rows", "bytes"}
    assert freed["rows"] == 24
    assert call("compact").out.startswith("Freed ")


def test_verify_checks_a_sample(call, indexed):
    assert call("verify", "--sample", 5, "--json").json == {
        "ok": True,
        "problems": [],
        "rows": 24,
        "sampled": 5,
        "unreadable": 0,
    }
    assert "All is well" in call("verify").out


def test_verify_ends_with_1_when_something_is_wrong(call, indexed):
    rows = next((indexed / "spaces").glob("*/rows-*"))
    data = bytearray(rows.read_bytes())
    data[70] ^= 0xFF
    rows.write_bytes(data)
    assert call("verify").code == 1


def test_migrate_moves_to_another_encoder(index, call, tmp_path):
    from tiny_encoder import write_tiny_encoder

    index()
    moved = call("migrate", "--encoder", write_tiny_encoder(tmp_path / "tiny"), "--json")
    assert moved.json["switched"] is True
    assert call("status", "--json").json["encoder"] == "tiny"


def test_evaluate_prints_a_table_and_the_promised_keys(call, drawn, colour_encoder, tmp_path):
    for path in drawn.iterdir():
        folder = tmp_path / "labels" / path.name.split("-")[1]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    arguments = ("evaluate", "--labels", tmp_path / "labels", "--encoder", colour_encoder)
    figures = call(*arguments, "--json").json
    assert set(figures) >= {"text_to_image", "image_to_image", "queries", "pictures", "intervals"}
    assert set(figures["text_to_image"]) >= {"hit@1", "hit@5", "hit@10", "precision@5", "recall@5", "map@10", "ndcg@10"}
    said = call(*arguments).out
    assert "class name -> picture (8 queries)" in said
    assert "95 % between" in said


def test_doctor_says_what_is_here(call, indexed):
    found = call("doctor", "--json").json
    assert found["parts"]["numpy"]
    assert "cpu" in found["devices"]
    assert found["collection"]["pictures"] == 24
    said = call("doctor")
    assert said.code == (0 if found["ok"] else 1)
    assert str(indexed) in said.out.replace("\n            ", "")


def test_the_demo_writes_only_into_its_folder(call, drawn, colour_encoder, tmp_path):
    before = sorted(drawn.iterdir())
    shown = call("demo", drawn, "--out", tmp_path / "out", "--encoder", colour_encoder)
    assert shown.code == 0
    assert sorted(drawn.iterdir()) == before
    assert (tmp_path / "out" / "contact-sheet.png").read_bytes().startswith(b"\x89PNG")
    assert "<html" in (tmp_path / "out" / "results.html").read_text(encoding="utf-8")
    assert str(tmp_path / "out" / "results.html") in shown.out


def test_the_demo_has_photos_of_its_own(call, colour_encoder, tmp_path):
    shown = call("demo", "--out", tmp_path / "out", "--encoder", colour_encoder, "--json").json
    assert shown["index"]["added"] >= 10
    assert next(query["query"] for query in shown["queries"]) == "a cat lying on a blanket"
    assert "motorcycle_right.png" in shown["queries"][1]["hits"][0]["uri"]
