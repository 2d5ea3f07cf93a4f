"""File system of the packages, its backups, and the credentials in Secrets Manager."""
