"""The sports: what happens in a match, and how their packets differ."""
