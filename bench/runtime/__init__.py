"""A command while it goes on: its folders, its progress, its interruptions, and an orderly end."""
