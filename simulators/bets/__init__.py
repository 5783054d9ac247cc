"""A stand-in for an operator's bet platform: it places bets at an RMS bet API and tells ``rms.bets`` of them."""
