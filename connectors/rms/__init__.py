"""The RMS connector: bet approvals from the socket, and the bet API's answers to what the join asks."""
