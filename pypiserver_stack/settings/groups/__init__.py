"""Settings by group, one file for each."""
