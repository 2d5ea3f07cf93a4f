"""Parts that the rooms above share: file calls off the event loop, and what a package file is."""
