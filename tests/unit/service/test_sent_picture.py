"""The first picture after a start is not kept waiting by what its decoding process loads."""

from __future__ import annotations

import pickle
import subprocess
import sys

from lookalike.service.sent_picture import SentPicture


def test_a_decoding_process_takes_a_sent_picture_without_loading_the_service():
    sent = pickle.dumps(SentPicture(b"a picture"))
    code = (
        "import pickle, sys; from lookalike.images import decoding_worker; sent = pickle.load(sys.stdin.buffer);"
        "assert sent.open(sent.asset).read() == b'a picture'; print('fastapi' in sys.modules, 'numpy' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, check=True)
    assert ended.stdout.split() == [b"False", b"False"]
