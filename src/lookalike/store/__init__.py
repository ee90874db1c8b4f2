"""The collection on disk: SQLite for what is known, memory-mapped float16 rows for vectors.

`collection_store.Store` is the door. `sqlite3` is spoken nowhere else. docs/format.md is the layout.
"""
