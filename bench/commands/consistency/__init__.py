"""Check that no task of an index misses a file from the moment its upload was answered."""
