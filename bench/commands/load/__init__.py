"""The command `load`: the main job, with a live index."""
