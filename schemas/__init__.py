"""Contracts: raw records, wire models, normalized events, topics, errors. Imports no other package of tricast."""
