"""FastPath: one WebSocket a feed."""
