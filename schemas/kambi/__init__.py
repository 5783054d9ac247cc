"""Kambi's contracts: wire models in the vendor's words, normalized events in ours, dead-letter codes."""
