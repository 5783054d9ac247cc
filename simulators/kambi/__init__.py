"""A stand-in for Kambi's Offering Push API and the part of its HTTP API that tricast polls."""
