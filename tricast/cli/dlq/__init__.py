"""``tricast dlq``."""
