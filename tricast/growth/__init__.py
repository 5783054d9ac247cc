"""More partitions for topics that may grow, while order per key and the states made of them stay right."""
