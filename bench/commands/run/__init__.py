"""The command `run`: the main job, with a stack of its own."""
