"""RMS from the vendor's desk to the decision, with parts of the way stopped for a while."""
