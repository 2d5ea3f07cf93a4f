"""The commands, each in a file or folder of its name: the order of its steps and what it shows."""
