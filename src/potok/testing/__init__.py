"""Fakes and contract suites, shipped for users."""
