"""What runs beside what: child processes, their supervisor, and the local stack of ``tricast up``."""
