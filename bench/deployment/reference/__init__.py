"""Indexes that a stack is compared with: nginx with the same files, and devpi."""
