"""The router of bets: what bet platforms write, checked and normalized."""
