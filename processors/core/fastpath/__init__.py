"""The FastPath audit: every action in order, every gap on record; pure."""
