"""Collections on engines elsewhere, Milvus and PostgreSQL, behind one contract. Their clients are imported only here."""
