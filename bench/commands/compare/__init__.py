"""Stacks, or reports, held against each other: docs/compare.md."""
