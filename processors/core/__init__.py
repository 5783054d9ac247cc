"""Pure cores: records in, records and findings out. No I/O, no clock, no chance."""
