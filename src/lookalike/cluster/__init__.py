"""Encoding on many machines: Ray, which is imported only here."""
