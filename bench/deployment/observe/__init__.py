"""Observation of tasks, machine and balancer during a load, as totals and as series."""
