"""Stacks on AWS, each with a folder on this machine: made, found again by a later shell, and removed."""
