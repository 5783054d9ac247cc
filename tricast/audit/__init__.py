"""Proof that raw and normalized topics say the same, by code that shares nothing with the processors it judges."""
