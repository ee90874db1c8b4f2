"""Collections that engines elsewhere hold: Milvus, PostgreSQL with pgvector.

`contract.py` says what such an engine does for lookalike; each engine is one implementation. What is made of their
answers, ranking, relevance and hits, is the code of every collection (`engine/remote_collection.py`).
"""
