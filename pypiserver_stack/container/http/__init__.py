"""Connections, responses, and what their headers mean."""
