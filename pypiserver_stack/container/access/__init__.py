"""Credentials, and who may use the index."""
