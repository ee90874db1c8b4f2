"""From nothing to found pictures, through what happens to a folder of pictures in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from lookalike.testing import draw_pictures

COMMAND = [sys.executable, "-m", "lookalike"]


def test_a_folder_through_its_life(lookalike, pictures, colour_encoder):
    """Index, search, change the folder, index again, search again: every count is right and results follow."""
    first = json.loads(lookalike("index", pictures, "--encoder", colour_encoder, "--json").out)
    assert (first["added"], first["encoded"]) == (24, 24)
    found = lookalike("search", "red", "-k", "3", "--paths").text.splitlines()
    assert len(found) == 3
    assert all("-red-" in path for path in found)

    shutil.copy(found[0], pictures / "copy.jpg")
    os.rename(found[1], pictures / "moved.jpg")
    os.remove(found[2])
    shutil.copy(min(pictures.glob("*-green-*")), min(pictures.glob("*-blue-*")))
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")

    second = lookalike("index", "--json")
    assert second.code == 0
    report = json.loads(second.out)
    assert {key: report[key] for key in ("added", "changed", "moved", "removed", "encoded")} == {
        "added": 1,
        "changed": 1,
        "moved": 1,
        "removed": 1,
        "encoded": 0,
    }
    assert [os.path.basename(each["uri"]) for each in report["skipped"]] == ["broken.png"]
    now = lookalike("search", "red", "-k", "3", "--paths", "--all-copies").text.splitlines()
    assert {os.path.basename(path) for path in now} == {os.path.basename(found[0]), "copy.jpg", "moved.jpg"}

    third = json.loads(lookalike("index", "--json").out)
    assert all(third[key] == 0 for key in ("added", "changed", "moved", "removed", "encoded", "reused"))


def test_how_searches_are_served_is_said_in_words(lookalike, pictures, colour_encoder):
    said = lookalike("index", pictures, "--encoder", colour_encoder, "--explain").text
    assert "Searching: comparing all 24 pictures takes less than 0.1 ms" in said
    assert json.loads(lookalike("index", "--no-index-build", "--json").out)["index"] is None
    explained = lookalike("search", "red", "--explain").said
    assert "plan: exact: all 24 pictures are compared" in explained
    assert "time: " in explained
    assert "every picture is compared" in lookalike("status").text


def test_a_picture_comes_through_a_pipe(lookalike, pictures, colour_encoder):
    lookalike("index", pictures, "--encoder", colour_encoder)
    picture = sorted(pictures.iterdir())[4]
    assert lookalike("search", "-", "-k", 1, "--paths", given=picture.read_bytes()).text == f"{picture}\n"


def test_names_that_are_not_text_come_out_as_they_are(lookalike, tmp_path, colour_encoder):
    """A name with a newline, and where the file system takes it one that is not UTF-8, reach xargs byte for byte."""
    folder = tmp_path / "odd"
    (drawn,) = draw_pictures(folder, 1)
    wanted = []
    for name in (b"two\nlines.jpg", b"caf\xe9.jpg"):
        place = os.path.join(os.fsencode(folder), name)
        try:
            shutil.copy(drawn, place)
        except OSError:  # some file systems take only UTF-8
            continue
        wanted.append(place)
    ended = lookalike("index", folder, "--encoder", colour_encoder, LC_ALL="C", PYTHONIOENCODING="ascii")
    assert ended.code == 0
    ended = lookalike("search", "red", "--all-copies", "--paths", "-0", LC_ALL="C")
    assert set(ended.out.rstrip(b"\0").split(b"\0")) == {*wanted, os.fsencode(drawn)}
    shown = lookalike("search", "red", "--all-copies", PYTHONIOENCODING="ascii")
    assert shown.code == 0
    assert len(shown.out.splitlines()) == 1 + len(wanted)


def test_a_reader_that_goes_away_is_no_error(lookalike, pictures, colour_encoder, environment):
    lookalike("index", pictures, "--encoder", colour_encoder)
    with subprocess.Popen(
        [*COMMAND, "search", "red", "-k", "24"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as running:
        running.stdout.close()
        said = running.stderr.read().decode()
        assert running.wait() == 0
    assert "Traceback" not in said
    assert "Broken" not in said


def test_two_that_write_at_once_do_not_wait_for_each_other(lookalike, pictures, colour_encoder, environment):
    """The second indexing process is told the first one's process id at once."""
    import lookalike as library

    with library.open(environment["LOOKALIKE_COLLECTION"], encoder=str(colour_encoder)) as collection:
        writing = collection.sync([pictures])
        next(event for event in writing)
        refused = lookalike("index", pictures)
        for _ in writing:
            pass
    assert refused.code == 1
    assert str(os.getpid()) in refused.said


def test_an_interrupted_run_keeps_what_is_done_and_goes_on_later(lookalike, tmp_path, colour_encoder, environment):
    folder = tmp_path / "many"
    draw_pictures(folder, 400)
    gives_way = ["nice", "-n", "10"]  # so that it is never at its end before it is interrupted
    with subprocess.Popen(
        [*gives_way, *COMMAND, "index", str(folder), "--encoder", str(colour_encoder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as running:
        while not os.path.exists(os.path.join(environment["LOOKALIKE_COLLECTION"], "spaces")):
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        out, err = (stream.decode() for stream in running.communicate())
    assert running.returncode == 130
    assert "what is done is kept" in err.lower()
    assert "Traceback" not in out + err
    kept = json.loads(lookalike("status", "--json").out)["items"]
    assert kept < 400
    later = json.loads(lookalike("index", folder, "--json").out)
    assert later["added"] == 400 - kept


def test_nothing_is_coloured_or_moves_outside_a_terminal(lookalike, pictures, colour_encoder):
    for ended in (
        lookalike("index", pictures, "--encoder", colour_encoder),
        lookalike("search", "red"),
        lookalike("search", "--nope"),
        lookalike("doctor"),
    ):
        assert b"\x1b" not in ended.out + ended.err
        assert b"\r" not in (ended.out + ended.err).replace(os.linesep.encode(), b"\n")


def test_results_and_remarks_go_different_ways(lookalike, pictures, colour_encoder):
    indexed = lookalike("index", pictures, "--encoder", colour_encoder, "--json")
    assert json.loads(indexed.out)["added"] == 24
    listed = lookalike("search", "red", "-k", "2")
    assert len(listed.text.splitlines()) == 2
    assert "pictures are compared" in listed.said
