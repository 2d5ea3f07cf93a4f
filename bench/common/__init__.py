"""Parts that every room may use: failures with their exit codes, this machine's cores, files written whole."""
