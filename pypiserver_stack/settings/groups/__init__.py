"""The settings, one file for each group."""
