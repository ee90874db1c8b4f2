"""The process `lookalike`, which is `python -m lookalike` too: quiet at Ctrl-C while the command line is loaded, and
once all is done and said.
"""

from __future__ import annotations

import signal
import sys

INTERRUPTED = 130


def program() -> int:
    """Run the command line with the arguments of this process, which then has to end; its exit code."""
    try:
        from lookalike.cli.main import main

        return main()
    except KeyboardInterrupt:  # later ones are the command line's
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # ending takes a moment of its own


if __name__ == "__main__":
    sys.exit(program())
