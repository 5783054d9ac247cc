"""Hours of simulated offering under faults: what consumers know in the end is what the vendor has."""
