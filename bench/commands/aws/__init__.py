"""The commands for a stack on AWS: `up`, `down`, `status`, and what `run` and `load` share with them."""
