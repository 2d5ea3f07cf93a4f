"""Comparison of the steps from the Terraform module's setup to ours, one setting each: docs/performance.md."""
