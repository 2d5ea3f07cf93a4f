"""Speaking to a package index as pip and twine do."""
