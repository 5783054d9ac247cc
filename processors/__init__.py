"""Processors: pure cores, thin Faust agents, and the exactly-once engine under them."""
