"""Find pictures by words or by another picture."""
