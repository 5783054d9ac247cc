"""Looks at Kafka from outside: what is in the topics, who reads them, how the feeds do."""
