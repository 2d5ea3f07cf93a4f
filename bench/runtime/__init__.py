"""Run of a command: its folders, steps, progress and interruptions, and its orderly end."""
