"""Alarms, dashboard and log queries, all of the same metrics."""
