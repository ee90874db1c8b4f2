"""Judging at a terminal of 80 columns, key by key. Pseudo-terminals exist only on POSIX systems."""

from __future__ import annotations

import csv
import os
import re
import signal
import struct
import subprocess
import sys

from lookalike.testing import draw_pictures

COLUMNS = 80
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07")
PROMPT = b"(q)uit: "
INTERRUPT = b"\x03"


def judge_at_terminal(environment, keys, *arguments) -> tuple[str, int]:
    """What is shown while one key is pressed at each prompt, and the exit code."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "lookalike", "judge", *map(str, arguments)]
    given = environment | {"TERM": "xterm", "COLUMNS": str(COLUMNS)}
    waiting = list(keys)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background hands down that it is ignored
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=given, start_new_session=True
    ) as process:
        os.close(theirs)
        shown, answered = bytearray(), 0
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # Linux says EIO when the other side is closed
                break
            if not data:
                break
            shown += data
            if waiting and shown.count(PROMPT) > answered:
                answered += 1
                key = waiting.pop(0)
                if key == INTERRUPT:
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(ours, key)
    os.close(ours)
    return ESCAPES.sub("", shown.decode().replace("\r\n", "\n")), process.returncode


if sys.platform != "win32":

    def test_a_sitting_is_kept_when_it_is_ended_by_the_keyboard(environment, tmp_path, colour_encoder):
        draw_pictures(tmp_path / "img", 6)
        names = sorted(path.name for path in (tmp_path / "img").iterdir())
        with (tmp_path / "shop.csv").open("w", newline="", encoding="utf-8") as stream:
            titles = [f"{name} {'a very long title ' * 8}" for name in names]
            rows = [[f"img/{name}", title] for name, title in zip(names, titles, strict=True)]
            csv.writer(stream).writerows([["image", "title"], *rows])
        (tmp_path / "q.txt").write_text("red\n" + "a question of many words " * 6 + "\n", encoding="utf-8")
        asked = ("--queries", tmp_path / "q.txt", "--catalogue", tmp_path / "shop.csv", "--above", "-1")
        asked += ("--sentence-encoder", colour_encoder, "--out", tmp_path / "j.csv", "--judge", "anna")
        shown, code = judge_at_terminal(environment, [b"y", b"n", b"u", b"\x1b[A", b"o", b"y", INTERRUPT], *asked)
        assert code == 130
        assert "Of 12 proposals: 2 right; 10 are open, the same command goes on." in re.sub(r"\s+", " ", shown)
        assert [line for line in shown.splitlines() if len(line) > COLUMNS and str(tmp_path) not in line] == []
        with (tmp_path / "j.csv").open(newline="", encoding="utf-8") as stream:
            assert [row["grade"] for row in csv.DictReader(stream)] == ["1", "1"]
        shown, code = judge_at_terminal(environment, [b"nnnq"], *asked)
        assert code == 0
        assert "4/10 right?" in shown, "keys pressed ahead are kept"
        shown, code = judge_at_terminal(environment, [b"\x04"], *asked)
        assert code == 0
        assert "1/7 right?" in shown
