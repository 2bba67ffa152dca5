"""Measures bundles and modes against known truth; behind ``./scripts/evaluate``."""
