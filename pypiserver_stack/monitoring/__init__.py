"""Alarms, dashboard and log queries."""
