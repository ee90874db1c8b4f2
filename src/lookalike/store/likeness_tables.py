"""Steps 6 to 8 of the format: what is known and what was decided about duplicates, and the journal of moves.

What was measured (fingerprints, sketches, likenesses, what was looked at) goes with its picture. What a person decided
stays: it names items by their ids and contents by their digests, so that it holds again when the same bytes, or the
same pixels, come back in another place. What was looked at is forgotten when a picture is seen nowhere, or gets a
fingerprint or a sketch later: it is looked at again then.

The journal promises that a move which was cut short at any instant can be finished or undone: a row is committed as
"meant" before the file is touched, and says by size, time and digest which file it speaks of.
"""

from __future__ import annotations

_FINGERPRINTS = """
    CREATE {} TABLE fingerprints (
        picture INTEGER PRIMARY KEY {},
        bits BLOB NOT NULL CHECK (length(bits) = 32),
        quality INTEGER NOT NULL
    ) STRICT
"""
_INNER = """
    CREATE {} TABLE inner_fingerprints (
        picture INTEGER PRIMARY KEY {},
        bits BLOB NOT NULL CHECK (length(bits) = 32)
    ) STRICT
"""
_SKETCHES = """
    CREATE {} TABLE sketches (
        picture INTEGER PRIMARY KEY {},
        bytes BLOB NOT NULL
    ) STRICT
"""
_LOOKED = """
    CREATE {} TABLE looked (
        picture INTEGER PRIMARY KEY {},
        method INTEGER NOT NULL
    ) STRICT
"""
_LIKENESSES = """
    CREATE {} TABLE likenesses (
        first INTEGER NOT NULL {},
        second INTEGER NOT NULL {},
        kind TEXT NOT NULL CHECK (kind IN ('same', 'copy', 'edited', 'burst')),
        sure REAL NOT NULL,
        why TEXT NOT NULL,
        method INTEGER NOT NULL,
        PRIMARY KEY (first, second),
        CHECK (first < second)
    ) STRICT, WITHOUT ROWID
"""
_APART = """
    CREATE {} TABLE apart (
        first TEXT NOT NULL,
        second TEXT NOT NULL,
        first_bytes BLOB NOT NULL,
        second_bytes BLOB NOT NULL,
        first_pixels BLOB,
        second_pixels BLOB,
        decided_ns INTEGER NOT NULL,
        PRIMARY KEY (first, second),
        CHECK (first < second)
    ) STRICT, WITHOUT ROWID
"""
_KEPT = """
    CREATE {} TABLE kept (
        item TEXT PRIMARY KEY,
        bytes BLOB NOT NULL,
        decided_ns INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
"""
_MOVE_RUNS = """
    CREATE {} TABLE move_runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        target BLOB NOT NULL,
        asked TEXT NOT NULL,
        began_ns INTEGER NOT NULL,
        ended_ns INTEGER
    ) STRICT
"""
_MOVES = """
    CREATE {} TABLE moves (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL {},
        item TEXT,
        root BLOB NOT NULL,
        key BLOB NOT NULL,
        source BLOB NOT NULL,
        target BLOB NOT NULL,
        size INTEGER NOT NULL,
        modified_ns INTEGER NOT NULL,
        digest BLOB NOT NULL,
        metadata TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('meant', 'done', 'undoing', 'undone', 'left')),
        reason TEXT NOT NULL DEFAULT '',
        meant_ns INTEGER NOT NULL,
        changed_ns INTEGER NOT NULL
    ) STRICT
"""
_OF_PICTURE = "REFERENCES pictures(number) ON DELETE CASCADE"

SIXTH = (
    _FINGERPRINTS.format("", _OF_PICTURE),
    _LOOKED.format("", _OF_PICTURE),
    _LIKENESSES.format("", _OF_PICTURE, _OF_PICTURE),
    "CREATE INDEX likenesses_second ON likenesses(second)",
    _APART.format(""),
    _KEPT.format(""),
    _MOVE_RUNS.format(""),
    _MOVES.format("", "REFERENCES move_runs(number)"),
    "CREATE INDEX moves_run ON moves(run)",
    "CREATE INDEX moves_open ON moves(state) WHERE state IN ('meant', 'undoing')",
    """
    CREATE TRIGGER pictures_looked_update AFTER UPDATE OF items ON pictures WHEN new.items = 0 BEGIN
        DELETE FROM looked WHERE picture = new.number;
    END
    """,
    """
    CREATE TRIGGER fingerprints_looked_insert AFTER INSERT ON fingerprints BEGIN
        DELETE FROM looked WHERE picture = new.picture;
    END
    """,
)
SIXTH_STAND_INS = (
    _FINGERPRINTS.format("TEMP", ""),
    _LOOKED.format("TEMP", ""),
    _LIKENESSES.format("TEMP", "", ""),
    _APART.format("TEMP"),
    _KEPT.format("TEMP"),
    _MOVE_RUNS.format("TEMP"),
    _MOVES.format("TEMP", ""),
)
SEVENTH = (_INNER.format("", _OF_PICTURE),)
SEVENTH_STAND_INS = (_INNER.format("TEMP", ""),)
EIGHTH = (
    _SKETCHES.format("", _OF_PICTURE),
    """
    CREATE TRIGGER sketches_looked_insert AFTER INSERT ON sketches BEGIN
        DELETE FROM looked WHERE picture = new.picture;
    END
    """,
)
EIGHTH_STAND_INS = (_SKETCHES.format("TEMP", ""),)
