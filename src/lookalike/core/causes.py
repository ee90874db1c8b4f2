"""Why something failed, in the words of whoever noticed it."""

from __future__ import annotations


def cause_of(error: BaseException) -> str:
    """For the end of a message: of an error of the system its words, without number and path."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1:,} is no text in {error.encoding.upper()}"
    return str(error) or type(error).__name__
