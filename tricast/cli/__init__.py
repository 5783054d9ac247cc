"""The command line: one module a command; settings are read here and passed down."""
