"""The benchmarks' own parts, as far as they need no Kafka."""
