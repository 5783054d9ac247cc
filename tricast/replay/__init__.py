"""Process a window of raw topics again, with the processors themselves, and compare with what is in Kafka."""
