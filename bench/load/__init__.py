"""Workloads and the clients that send them, in processes of their own; every request recorded."""
