"""The status page: what the monitor sees, drawn by the server, live by server-sent events."""
