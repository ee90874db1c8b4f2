"""The shape of `collection.sqlite`, as numbered steps that are never edited after a release, only added to.

`user_version` counts the steps a file has had. Each step is a list of statements and runs in one
transaction with the ones before it, so a file has all of a step or none. After simonw/llm's numbered
embeddings migrations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.store.likeness_tables import (
    EIGHTH,
    EIGHTH_STAND_INS,
    SEVENTH,
    SEVENTH_STAND_INS,
    SIXTH,
    SIXTH_STAND_INS,
)

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x4C4B414C
"""What `file` and SQLite's header call a lookalike collection: "LKAL"."""

_FIRST = (
    """
    CREATE TABLE collection (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        generation INTEGER NOT NULL,
        current_space INTEGER REFERENCES spaces(number)
    ) STRICT
    """,
    "INSERT INTO collection VALUES (1, 0, NULL)",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """
    CREATE TABLE spaces (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        encoder_id TEXT NOT NULL UNIQUE,
        encoder_name TEXT NOT NULL,
        dim INTEGER NOT NULL CHECK (dim > 0),
        epoch INTEGER NOT NULL,
        count INTEGER NOT NULL,
        slug TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE segments (
        space INTEGER NOT NULL REFERENCES spaces(number) ON DELETE CASCADE,
        first INTEGER NOT NULL,
        count INTEGER NOT NULL CHECK (count > 0),
        checksum BLOB NOT NULL,
        PRIMARY KEY (space, first)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE roots (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        path BLOB NOT NULL UNIQUE,
        is_file INTEGER NOT NULL,
        offline INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE pictures (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        pixels_digest BLOB UNIQUE,
        items INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    "CREATE INDEX pictures_unseen ON pictures(items) WHERE items = 0",
    """
    CREATE TABLE contents (
        number INTEGER PRIMARY KEY,
        bytes_digest BLOB NOT NULL UNIQUE,
        picture INTEGER NOT NULL REFERENCES pictures(number),
        size INTEGER NOT NULL,
        width INTEGER,
        height INTEGER,
        format TEXT NOT NULL,
        metadata TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX contents_picture ON contents(picture)",
    "CREATE INDEX contents_size ON contents(size)",
    """
    CREATE TABLE items (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        root INTEGER NOT NULL REFERENCES roots(number),
        key BLOB NOT NULL,
        uri BLOB,
        size INTEGER NOT NULL,
        modified_ns INTEGER NOT NULL,
        picture INTEGER NOT NULL REFERENCES pictures(number),
        content INTEGER NOT NULL REFERENCES contents(number),
        metadata TEXT NOT NULL,
        fresh INTEGER NOT NULL,
        UNIQUE (root, key)
    ) STRICT
    """,
    "CREATE INDEX items_picture ON items(picture)",
    "CREATE INDEX items_content ON items(content)",
    "CREATE INDEX items_fresh ON items(picture) WHERE fresh = 1",
    """
    CREATE TRIGGER items_count_insert AFTER INSERT ON items BEGIN
        UPDATE pictures SET items = items + 1 WHERE number = new.picture;
    END
    """,
    """
    CREATE TRIGGER items_count_delete AFTER DELETE ON items BEGIN
        UPDATE pictures SET items = items - 1 WHERE number = old.picture;
    END
    """,
    """
    CREATE TRIGGER items_count_update AFTER UPDATE OF picture ON items WHEN old.picture <> new.picture BEGIN
        UPDATE pictures SET items = items - 1 WHERE number = old.picture;
        UPDATE pictures SET items = items + 1 WHERE number = new.picture;
    END
    """,
    """
    CREATE TABLE failures (
        root INTEGER NOT NULL REFERENCES roots(number),
        key BLOB NOT NULL,
        uri BLOB,
        code TEXT NOT NULL,
        reason TEXT NOT NULL,
        size INTEGER NOT NULL,
        modified_ns INTEGER NOT NULL,
        PRIMARY KEY (root, key)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE vectors (
        picture INTEGER NOT NULL REFERENCES pictures(number),
        space INTEGER NOT NULL REFERENCES spaces(number) ON DELETE CASCADE,
        part INTEGER NOT NULL,
        row INTEGER NOT NULL,
        PRIMARY KEY (picture, space, part),
        UNIQUE (space, row)
    ) STRICT, WITHOUT ROWID
    """,
)

_INDEXES = """
    CREATE {} TABLE indexes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        space INTEGER NOT NULL {},
        epoch INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        count INTEGER NOT NULL,
        file TEXT NOT NULL,
        spec TEXT NOT NULL,
        point TEXT NOT NULL DEFAULT '{{}}',
        measured TEXT NOT NULL DEFAULT '{{}}',
        reason TEXT NOT NULL,
        made_ns INTEGER NOT NULL DEFAULT 0,
        current INTEGER NOT NULL,
        UNIQUE (space, current)
    ) STRICT
"""
_SECOND = (_INDEXES.format("", "REFERENCES spaces(number) ON DELETE CASCADE"),)

_COLUMNS = """
    CREATE {} TABLE columns (
        generation INTEGER PRIMARY KEY,
        until INTEGER NOT NULL,
        space INTEGER NOT NULL {},
        epoch INTEGER NOT NULL,
        digest BLOB NOT NULL
    ) STRICT
"""
_THIRD = (_COLUMNS.format("", "REFERENCES spaces(number) ON DELETE CASCADE"),)

_WORDS = """
    CREATE VIRTUAL TABLE {}words USING fts5(
        names, title, text, place, detail = column, tokenize = "ascii tokenchars '_'"
    )
"""
_SPELLED = """
    CREATE {} TABLE spelled (
        number INTEGER PRIMARY KEY,
        word TEXT NOT NULL UNIQUE,
        example TEXT NOT NULL
    ) STRICT
"""
_SPELLINGS = """
    CREATE VIRTUAL TABLE {}spellings USING fts5(word, content = '', detail = none, columnsize = 0, tokenize = trigram)
"""
_WORD_VECTORS = """
    CREATE {} TABLE word_vectors (
        space INTEGER NOT NULL {},
        word TEXT NOT NULL,
        vector BLOB NOT NULL,
        PRIMARY KEY (space, word)
    ) STRICT, WITHOUT ROWID
"""
_FOURTH = (
    _WORDS.format(""),
    _SPELLED.format(""),
    _SPELLINGS.format(""),
    """
    CREATE TRIGGER spelled_insert AFTER INSERT ON spelled BEGIN
        INSERT INTO spellings (rowid, word) VALUES (new.number, '^' || new.word || '$');
    END
    """,
    _WORD_VECTORS.format("", "REFERENCES spaces(number) ON DELETE CASCADE"),
    "CREATE TABLE wordless (item INTEGER PRIMARY KEY) STRICT",
    "INSERT INTO wordless SELECT number FROM items",
    """
    CREATE TRIGGER items_words_insert AFTER INSERT ON items BEGIN
        INSERT INTO wordless (item) VALUES (new.number);
    END
    """,
    """
    CREATE TRIGGER items_words_update AFTER UPDATE OF id, root, key, uri, content, metadata ON items
    WHEN (old.id, old.root, old.key, old.uri, old.content, old.metadata)
        IS NOT (new.id, new.root, new.key, new.uri, new.content, new.metadata) BEGIN
        INSERT OR IGNORE INTO wordless (item) VALUES (new.number);
    END
    """,
    """
    CREATE TRIGGER items_words_delete AFTER DELETE ON items BEGIN
        DELETE FROM wordless WHERE item = old.number;
        DELETE FROM words WHERE rowid = old.number;
    END
    """,
    """
    CREATE TRIGGER contents_words_update AFTER UPDATE OF metadata ON contents WHEN old.metadata <> new.metadata BEGIN
        INSERT OR IGNORE INTO wordless (item) SELECT number FROM items WHERE content = new.number;
    END
    """,
    """
    CREATE TRIGGER settings_words_insert AFTER INSERT ON settings WHEN new.name = 'text_fields' BEGIN
        INSERT OR IGNORE INTO wordless (item) SELECT number FROM items WHERE metadata <> '{}';
    END
    """,
    """
    CREATE TRIGGER settings_words_update AFTER UPDATE OF value ON settings
    WHEN new.name = 'text_fields' AND old.value <> new.value BEGIN
        INSERT OR IGNORE INTO wordless (item) SELECT number FROM items WHERE metadata <> '{}';
    END
    """,
)

_FIFTH = (
    "DELETE FROM columns",
    "CREATE TABLE columnless (item INTEGER PRIMARY KEY) STRICT",
    """
    CREATE TRIGGER items_columns_insert AFTER INSERT ON items WHEN EXISTS (SELECT 1 FROM columns) BEGIN
        INSERT OR IGNORE INTO columnless (item) VALUES (new.number);
    END
    """,
    """
    CREATE TRIGGER items_columns_update
    AFTER UPDATE OF id, root, key, uri, size, modified_ns, picture, content, metadata ON items
    WHEN EXISTS (SELECT 1 FROM columns)
        AND (old.id, old.root, old.key, old.uri, old.size, old.modified_ns, old.picture, old.content, old.metadata)
        IS NOT (new.id, new.root, new.key, new.uri, new.size, new.modified_ns, new.picture, new.content, new.metadata)
    BEGIN
        INSERT OR IGNORE INTO columnless (item) VALUES (new.number);
    END
    """,
    """
    CREATE TRIGGER items_columns_delete AFTER DELETE ON items WHEN EXISTS (SELECT 1 FROM columns) BEGIN
        INSERT OR IGNORE INTO columnless (item) VALUES (old.number);
    END
    """,
    """
    CREATE TRIGGER contents_columns_update AFTER UPDATE OF width, height, format, metadata ON contents
    WHEN EXISTS (SELECT 1 FROM columns) AND (old.width, old.height, old.format, old.metadata)
        IS NOT (new.width, new.height, new.format, new.metadata)
    BEGIN
        INSERT OR IGNORE INTO columnless (item) SELECT number FROM items WHERE content = new.number;
    END
    """,
    """
    CREATE TRIGGER vectors_columns_insert AFTER INSERT ON vectors
    WHEN EXISTS (SELECT 1 FROM columns WHERE space = new.space) BEGIN
        INSERT OR IGNORE INTO columnless (item) SELECT number FROM items WHERE picture = new.picture;
    END
    """,
    """
    CREATE TRIGGER roots_columns_update AFTER UPDATE OF path, is_file ON roots WHEN EXISTS (SELECT 1 FROM columns) BEGIN
        INSERT OR IGNORE INTO columnless (item) SELECT number FROM items WHERE root = new.number;
    END
    """,
    """
    CREATE TRIGGER settings_columns_insert AFTER INSERT ON settings WHEN new.name = 'fields' BEGIN
        DELETE FROM columns;
    END
    """,
    """
    CREATE TRIGGER settings_columns_update AFTER UPDATE OF value ON settings
    WHEN new.name = 'fields' AND old.value <> new.value BEGIN
        DELETE FROM columns;
    END
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, SIXTH, SEVENTH, EIGHTH)
_STAND_INS: dict[int, tuple[str, ...]] = {
    2: (_INDEXES.format("TEMP", ""),),
    3: (_COLUMNS.format("TEMP", ""),),
    4: (_WORDS.format("temp."), _SPELLED.format("TEMP"), _SPELLINGS.format("temp."), _WORD_VECTORS.format("TEMP", "")),
    5: (),
    6: SIXTH_STAND_INS,
    7: SEVENTH_STAND_INS,
    8: EIGHTH_STAND_INS,
}
"""For each step after the first: what a connection needs that reads an earlier file without changing it."""


def stand_in(connection: sqlite3.Connection) -> None:
    """Give a connection that may only read the tables, empty and its own, that an earlier file has not yet."""
    connection.execute("PRAGMA temp_store = MEMORY")
    for number in range(version_of(connection) + 1, len(STEPS) + 1):
        for statement in _STAND_INS[number]:
            connection.execute(statement)


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps the file has had."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Whether the file is an SQLite database of something else."""
    mark = _mark(connection)
    if mark == APPLICATION_ID or (
        mark == 0 and not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    ):
        return False
    return _mark(connection) != APPLICATION_ID  # another process may have made it between the two questions


def _mark(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest step. Two processes may do so at once: the second finds it done."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[version_of(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        if version_of(connection) < len(STEPS):  # a later lookalike may have come between: its number stays
            connection.execute(f"PRAGMA user_version = {len(STEPS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
