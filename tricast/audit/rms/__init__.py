"""The audit of the RMS feed: its own reading of packets, bets and coverage, its own verdict on every decision."""
