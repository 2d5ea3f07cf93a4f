"""What pypiserver is given: backends, their removal of packages, and its project information."""
