"""Bundled apps, built on the public API of Potok alone."""
