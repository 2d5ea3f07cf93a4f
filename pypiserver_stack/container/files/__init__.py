"""Package files on their way in and out: uploads, the store, and downloads."""
