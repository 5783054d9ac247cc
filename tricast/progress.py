"""How work that reads topics tells how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told what is done now, records done, records to do."""
