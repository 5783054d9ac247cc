"""The front door: command line, settings, local stack, audit."""
