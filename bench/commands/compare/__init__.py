"""Comparison of stacks, or of the reports of finished runs: docs/compare.md."""
