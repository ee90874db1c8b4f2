"""Nearest neighbours over rows. `exact.ExactIndex` compares them all; every other kind is measured against it."""
