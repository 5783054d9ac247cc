"""Contracts of the FastPath feed."""
