"""Observation of tasks and balancer during a load: CPU time, memory, requests, failures."""
