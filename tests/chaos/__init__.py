"""The whole product under faults: ``make chaos``."""
