"""Files that run inside the image: they import nothing of ours, only what the image carries."""
