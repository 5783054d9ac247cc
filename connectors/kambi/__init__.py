"""Kambi Offering Push: Socket.IO in, exact packets out to ``kambi.raw``."""
