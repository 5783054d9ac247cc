"""Latest states of Kambi: what the facts of one topic and partition add up to."""
