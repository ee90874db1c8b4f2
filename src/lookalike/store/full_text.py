"""The words of items, kept in FTS5 in the transaction that changes the items.

Triggers note in the table `wordless` every item whose words may have changed, whatever changed it: its metadata, its
bytes' metadata, its place, its id, the setting `text_fields`. Whoever commits such a change calls `take_words` before,
which reads what is noted and writes the words. An item removed takes its words along by a trigger.

What of an item is found by which words: `names` are whole texts (title, id, file name, product number), each as one
word; `title`, `text` and `place` hold the stems of `word_forms.py`. FTS5 keeps the lists of items of each word
(detail=column: how often a word stands in a field says nothing in texts so short). Scores are `word_search.py`'s:
FTS5's own take 6 us for each item that has one of the words, 0.3 s for "men's shirt" in 100,000 products.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from lookalike.store.tables import roots_by_number
from lookalike.store.word_forms import forms_of, name_of, words_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from lookalike.store.records import Root

TEXT_FIELDS = "text_fields"
"""The setting that names the catalogue columns whose words are found; its first is a title."""
AT_ONCE = 100_000
"""Items whose words are taken in one transaction: more are only met when an earlier format is brought up to date."""
LONGEST_TEXT = 10_000
"""Characters of one text that are read."""
LEAST_SPELLED = 3
"""Letters of a stem from which on it is looked for by what is near it: in spelling or in meaning."""

_TITLES = ("title",)
_TEXTS = ("caption", "description", "tags", "keywords", "city", "country", "camera", "lens")
_CODES = ("group", "sku", "code", "ean", "gtin", "isbn", "mpn", "barcode", "article_number", "inventory_number")
_FOLDERS = 4
"""Folders above a file whose names are words of it."""
_BATCH = 5000
_PENDING = """
    SELECT i.number, i.id, i.root, i.key, i.uri, c.metadata, i.metadata, w.names, w.title, w.text, w.place
    FROM (SELECT item FROM wordless ORDER BY item DESC LIMIT ?) p JOIN items i ON i.number = p.item
    JOIN contents c ON c.number = i.content LEFT JOIN words w ON w.rowid = i.number
"""


def take_words(connection: sqlite3.Connection, limit: int = AT_ONCE) -> int:
    """Write the words of up to `limit` noted items, the newest first. Part of a transaction; returns how many."""
    done = 0
    while done < limit:
        pending = connection.execute(_PENDING, (min(_BATCH, limit - done),)).fetchall()
        if not pending:
            break
        _take(
            connection, sorted(pending, key=lambda item: item[0])
        )  # FTS5 writes its lists anew when a number goes down
        done += len(pending)
    return done


def fields_read(connection: sqlite3.Connection) -> frozenset[str]:
    """Names in the metadata whose values are words of an item: what says nothing else there changes no word."""
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (TEXT_FIELDS,)).fetchone()
    fields = (str(field) for field in json.loads(row[0])) if row else ()
    return frozenset((*_TITLES, *_TEXTS, *_CODES, *fields))


def tidy_words(connection: sqlite3.Connection) -> None:
    """Leave nothing behind of words that no item has any more. Part of a transaction."""
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")
    kept = connection.execute(
        f"SELECT word, example FROM spelled WHERE word IN (SELECT term FROM {word_counts(connection)})"  # noqa: S608 our table
    ).fetchall()
    connection.execute("INSERT INTO spellings (spellings) VALUES ('delete-all')")
    connection.execute("DELETE FROM spelled")
    _spell(connection, dict(kept))
    connection.execute("DELETE FROM word_vectors WHERE word NOT IN (SELECT word FROM spelled)")


def word_counts(connection: sqlite3.Connection) -> str:
    """A table that gives `term`, `col` and `doc`: in how many items a word stands in that column. For a writer."""
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_counts USING fts5vocab(main, words, col)")
    return "temp.word_counts"


def fits_spelling(word: str) -> bool:
    """Whether a stem may be meant by another word: codes and numbers may not."""
    return len(word) >= LEAST_SPELLED and word.isalpha()


def _take(connection: sqlite3.Connection, pending: list[tuple[Any, ...]]) -> None:
    roots = roots_by_number(connection)
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (TEXT_FIELDS,)).fetchone()
    fields = tuple(str(field) for field in json.loads(row[0])) if row else ()
    changed, replaced = [], []
    examples: dict[str, str] = {}
    for number, id, root, key, uri, of_bytes, own, *before in pending:
        metadata = json.loads(of_bytes) | json.loads(own) if own != "{}" else json.loads(of_bytes)
        words = words_of_item(id, _place(roots[root], key, uri), metadata, fields, examples)
        if words != tuple(before):
            changed.append((number, *words))
            if before[0] is not None:
                replaced.append(number)
    connection.executemany("DELETE FROM words WHERE rowid = ?", [(number,) for number in replaced])
    connection.executemany("INSERT INTO words (rowid, names, title, text, place) VALUES (?, ?, ?, ?, ?)", changed)
    _spell(connection, examples)
    connection.executemany("DELETE FROM wordless WHERE item = ?", [(row[0],) for row in pending])


def _spell(connection: sqlite3.Connection, examples: Mapping[str, str]) -> None:
    """Let stems, each with a word that has it, be found in spite of typing errors and by meaning. Known ones stay."""
    connection.executemany(
        "INSERT OR IGNORE INTO spelled (word, example) VALUES (?, ?)",
        [(stem, word) for stem, word in examples.items() if fits_spelling(stem)],
    )


def words_of_item(
    id: str, place: list[str], metadata: Mapping[str, Any], fields: tuple[str, ...], examples: dict[str, str]
) -> tuple[str, str, str, str]:
    """What the columns `names`, `title`, `text` and `place` hold. `examples`: gets a word for each stem."""
    titles = _texts(metadata, (*_TITLES, *fields[:1]))
    texts = _texts(metadata, (*_TEXTS, *fields[1:]))
    file_name = place[-1]
    whole = [id, file_name, os.path.splitext(file_name)[0], *titles, *texts, *_texts(metadata, _CODES)]
    names = dict.fromkeys(filter(None, map(name_of, whole)))
    place_words = [*place[:-1][-_FOLDERS:], os.path.splitext(file_name)[0]]
    return " ".join(names), _stems(titles, examples), _stems(texts, examples), _stems(place_words, examples)


def _stems(texts: Iterable[str], examples: dict[str, str]) -> str:
    stems: dict[str, None] = {}
    for text in texts:
        for word in words_of(text):
            for form in forms_of(word):
                stems[form] = None
                examples.setdefault(form, word)
    return " ".join(stems)


def _texts(metadata: Mapping[str, Any], fields: Iterable[str]) -> list[str]:
    """The texts, and the elements of lists, under some names."""
    found: list[str] = []
    for field in fields:
        value = metadata.get(field)
        if value is not None:
            values = value if isinstance(value, list) else (value,)
            found += [str(each)[:LONGEST_TEXT] for each in values if isinstance(each, str | int | float)]
    return found


def _place(root: Root, key: bytes, uri: bytes | None) -> list[str]:
    """Names of folders and of the file, from the root's own name on; of what lies elsewhere the file's name alone."""
    if uri is not None:
        parts = [os.path.basename(uri.split(b"?")[0].rstrip(b"/") if b"://" in uri else uri)]
    elif root.is_file:
        parts = [os.path.basename(root.path)]
    else:
        named = os.path.isabs(root.path)  # what is imported, or a catalogue, has no folder's name
        parts = [*([os.path.basename(root.path)] if named else []), *key.split(b"/")]
    return [part.decode("utf-8", "replace") for part in parts]
