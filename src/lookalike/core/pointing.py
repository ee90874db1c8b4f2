"""A place in what a person typed, shown as an error shows it: the text around it, and a caret below.

The excerpt is one line whatever was typed: what does not print is shown as a blank, so that the caret stands right.
"""

from __future__ import annotations

EXCERPT = 60
"""Characters shown at most: they fit beside the indent in a terminal of 80 columns."""
_INDENT = "  "


def pointing(text: str, position: int) -> str:
    """Two lines: an excerpt of `text` and a caret under the character at `position`, or behind the last one."""
    position = min(max(position, 0), len(text))
    start = max(0, min(position - EXCERPT // 2, len(text) - EXCERPT))
    excerpt = "".join(each if each.isprintable() else " " for each in text[start : start + EXCERPT])
    return f"{_INDENT}{excerpt}\n{_INDENT}{' ' * (position - start)}^"
