"""What a person sees in a terminal of 80 columns. Pseudo-terminals exist only on POSIX systems."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys

from lookalike.testing import draw_pictures

COLUMNS = 80
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07")


def in_terminal(environment, *arguments, **more) -> str:
    """Everything that `lookalike` writes when both its streams are a terminal."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "lookalike", *map(str, arguments)]
    given = environment | {"TERM": "xterm", "COLUMNS": str(COLUMNS)} | more
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=given, close_fds=True):
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # Linux says EIO when the other side is closed
                break
            if not data:
                break
            shown += data
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


if sys.platform != "win32":

    def test_every_line_fits_and_ends_of_long_names_are_seen(environment, tmp_path, colour_encoder):
        folder = tmp_path / "a folder with a rather long name" / "写真と思い出の箱" / "another one, nearly as long"
        names = [path.name for path in draw_pictures(folder, 24)]
        shown = in_terminal(
            environment, "index", tmp_path / "a folder with a rather long name", "--encoder", colour_encoder
        )
        assert "24 added" in shown
        shown = ESCAPES.sub("", in_terminal(environment, "search", "red", "-k", 3))
        lines = [line for line in shown.splitlines() if re.match(r"\d  ", line)]
        assert len(lines) == 3
        assert all(line.endswith("96x72") and any(name in line for name in names) for line in lines)
        assert all(len(line) <= COLUMNS for line in shown.splitlines())

    def test_errors_are_wrapped_between_words(environment, tmp_path):
        place = tmp_path / "none"
        shown = ESCAPES.sub("", in_terminal(environment, "search", "a dog in the snow", "--collection", place))
        assert re.sub(r"\s+", " ", shown).startswith(f"error: there is no collection at {place}")
        assert all(len(line) <= COLUMNS or str(place) in line for line in shown.splitlines())

    def test_colour_can_be_refused(environment, tmp_path):
        assert "\x1b" in in_terminal(environment, "status", "--collection", tmp_path / "none")
        assert "\x1b" not in in_terminal(environment, "status", "--collection", tmp_path / "none", NO_COLOR="1")

    def test_progress_moves_only_where_it_is_welcome(environment, pictures, colour_encoder):
        assert "\x1b" not in in_terminal(environment, "index", pictures, "--encoder", colour_encoder, NO_COLOR="1")
        assert "\x1b[" in in_terminal(environment, "index", "--check-content")

    def test_a_missing_extra_is_named_with_its_install_line(environment, pictures, colour_encoder, tmp_path):
        (tmp_path / "rich_pixels").mkdir()  # shadows the installed one, and has nothing in it
        (tmp_path / "rich_pixels" / "__init__.py").write_text("", encoding="utf-8")
        path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        in_terminal(environment, "index", pictures, "--encoder", colour_encoder)
        shown = in_terminal(environment, "search", "red", "--preview", PYTHONPATH=path)
        assert 'pip install "lookalike[preview]"' in shown

    def test_pictures_are_shown(environment, pictures, colour_encoder):
        in_terminal(environment, "index", pictures, "--encoder", colour_encoder)
        assert in_terminal(environment, "search", "red", "-k", 1, "--preview").count("▄") > 100
