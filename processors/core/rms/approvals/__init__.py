"""The first hop of RMS: what the vendor announced, once, and how far nothing of it can have been missed."""
