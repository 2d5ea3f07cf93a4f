"""The packages' file system, its backup, and the credentials in Secrets Manager."""
