"""Fuzzing of everything that reads bytes of a vendor: ``make fuzz``; a slice with a fixed seed is in ``make test``."""
