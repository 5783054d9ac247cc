"""The audit of the FastPath feed: its own reading of packets and its own account of numbers."""
