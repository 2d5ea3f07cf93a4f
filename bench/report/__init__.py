"""The report of a run: one model, built from what was measured, rendered as JSON, Markdown and terminal text."""
