"""FastPath under kills of connectors, workers and brokers; see ``__main__``."""
