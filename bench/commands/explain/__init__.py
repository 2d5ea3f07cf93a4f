"""From the Terraform module's setup to ours, one setting at a time, and what each changes: docs/performance.md."""
