"""Worker programs of the engine's peers: each runs in an environment of its own, which `locks/` describes."""
