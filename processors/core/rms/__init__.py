"""RMS: approvals and bets are normalized, and joined to one final decision per referred bet."""
