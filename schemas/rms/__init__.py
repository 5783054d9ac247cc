"""RMS contracts: what bet platforms write, what the vendor sends, what comes out."""
