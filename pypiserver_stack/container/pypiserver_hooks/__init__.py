"""Hooks of pypiserver: backends, removal of packages, project information."""
