"""Parts that every component uses: tags, policies, names, and the entry point of the programs."""
