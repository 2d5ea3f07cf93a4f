"""What every component may use: tags, policies, names, and the entry point of the programs."""
