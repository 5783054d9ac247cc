"""A stand-in for LSports' RMS-Socket, the ARENA360 authentication before it, and the bet API beside it."""
