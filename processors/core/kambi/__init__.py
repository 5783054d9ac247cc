"""Kambi's core: packet → bulk → children → candidates → facts that are new → records."""
