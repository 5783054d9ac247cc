"""Connectors: connect, subscribe, stamp, push. They parse only what liveness and resuming need; bytes stay exact."""
