"""The two flows: pictures in (`ingest`), answers out (`search`), and the collection that offers both.

Read `ingest.py` and `search.py` first; each tells its story from top to bottom.
"""
