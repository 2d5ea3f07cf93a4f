"""Observation of a stack on AWS: handles of its resources, its state before a load, its metrics during one."""
