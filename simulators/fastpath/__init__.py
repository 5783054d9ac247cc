"""A stand-in for FastPath WebSocket feeds and the part of their REST API that tricast polls."""
