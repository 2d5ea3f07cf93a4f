"""The test wheels: built once, kept in a cache."""
